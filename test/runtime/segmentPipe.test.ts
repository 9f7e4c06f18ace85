import { Writable } from 'node:stream'
import type { PlayedSegment } from '../../src/client/index.js'
import { segmentPipe, type PipeEnd } from '../../src/runtime/segmentPipe.js'

const segment = (number: number): PlayedSegment => ({
  number,
  epoch: 1,
  server: { video: 'a', audio: 'a' },
  video: Uint8Array.from(`v${number} `, (c) => c.charCodeAt(0)),
  audio: Uint8Array.from(`a${number} `, (c) => c.charCodeAt(0)),
  bufferMs: 0,
})

/** A consumer that takes one chunk whenever it is told to. */
const slowConsumer = () => {
  const taken: string[] = []
  const waiting: Array<() => void> = []
  const output = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _, done) {
      taken.push(String(chunk))
      waiting.push(done)
    },
  })
  const takeAll = async (): Promise<void> => {
    for (let done = waiting.shift(); done !== undefined; done = waiting.shift()) {
      done()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { output, taken, takeAll }
}

describe('the pipe to a player', () => {
  test('writes the init segment, then video and audio of each number, at the pace of the consumer', async () => {
    const { output, taken, takeAll } = slowConsumer()
    const pipe = segmentPipe(output, () => undefined)
    pipe.init(Uint8Array.from('init ', (c) => c.charCodeAt(0)))
    pipe.segment(segment(1))
    pipe.segment(segment(2))
    expect(taken).toEqual(['init '])
    await takeAll()
    expect(taken.join('')).toBe('init v1 a1 v2 a2 ')
  })

  test('gives up a consumer that has stopped reading, and keeps no more of the stream', () => {
    const { output, taken } = slowConsumer()
    const ends: PipeEnd[] = []
    const pipe = segmentPipe(output, (why) => ends.push(why))
    for (let number = 0; number < 500; number += 1) pipe.segment(segment(number))
    expect(ends).toEqual(['stalled'])
    expect(taken).toHaveLength(1)
  })

  test('notices that the consumer has gone', async () => {
    const { output } = slowConsumer()
    const gone = new Promise<PipeEnd>((resolve) => segmentPipe(output, resolve))
    output.destroy(new Error('EPIPE'))
    expect(await gone).toBe('closed')
  })
})
