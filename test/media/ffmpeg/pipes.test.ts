import { PassThrough } from 'node:stream'
import { openInput, openOutput } from '../../../src/media/ffmpeg/pipes.js'
import { waitFor } from '../../support/waitFor.js'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const never = new AbortController().signal

describe("A process's standard input", () => {
  it('keeps what is written before the process is there', async () => {
    const pipe = openInput()
    expect(pipe.write(bytes('early '))).toBe(false)
    const drained = pipe.drained(never)
    const stream = new PassThrough()
    pipe.connect(stream)
    await drained
    expect(pipe.write(bytes('late'))).toBe(true)
    pipe.end()
    expect(String(Buffer.concat(await stream.toArray()))).toBe('early late')
  })

  it('asks to wait while too much is queued, and until it is gone', async () => {
    const pipe = openInput()
    const stream = new PassThrough({ highWaterMark: 1 })
    pipe.connect(stream)
    expect(pipe.write(new Uint8Array(1_000))).toBe(true)
    expect(pipe.write(new Uint8Array(200_000))).toBe(false)
    const drained = pipe.drained(never)
    stream.resume()
    await drained
    expect(pipe.write(bytes('more'))).toBe(true)
  })

  it('stops waiting when the pipe breaks, or at a signal', async () => {
    const pipe = openInput()
    const stream = new PassThrough({ highWaterMark: 1 })
    pipe.connect(stream)
    while (pipe.write(new Uint8Array(200_000)));
    const abort = new AbortController()
    const aborted = pipe.drained(abort.signal)
    abort.abort()
    await aborted
    const broken = pipe.drained(never)
    stream.destroy(new Error('broken pipe'))
    await broken
  })
})

describe("A process's standard output", () => {
  it('waits for a listener, whoever listened to the stream before', async () => {
    const pipe = openOutput()
    const stream = new PassThrough()
    const elsewhere: unknown[] = []
    stream.on('data', (chunk) => elsewhere.push(chunk))
    pipe.connect(stream)
    stream.write('first ')
    await new Promise((resolve) => setImmediate(resolve))
    const heard: Uint8Array[] = []
    pipe.onData((chunk) => heard.push(chunk))
    stream.write('second')
    await waitFor(() => String(Buffer.concat(heard)) === 'first second')
    expect(elsewhere).toEqual([])
  })

  it('can be held back and let go', async () => {
    const pipe = openOutput()
    const stream = new PassThrough()
    const heard: Uint8Array[] = []
    pipe.onData((chunk) => heard.push(chunk))
    pipe.pause()
    pipe.connect(stream)
    stream.write('held')
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toEqual([])
    pipe.resume()
    await waitFor(() => String(Buffer.concat(heard)) === 'held')
  })

  it.each([
    ['is told to discard', (pipe: ReturnType<typeof openOutput>) => pipe.discard()],
    ['is released without a listener', (pipe: ReturnType<typeof openOutput>) => pipe.release()],
  ])('is read to its end when it %s', async (_, act) => {
    const pipe = openOutput()
    const stream = new PassThrough()
    pipe.connect(stream)
    const closed = new Promise((resolve) => stream.once('close', resolve))
    stream.end('something')
    act(pipe)
    await closed
  })
})
