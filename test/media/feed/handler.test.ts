import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { advancePosition, createFeedHandler, FeedRing, FeedWriter } from '../../../src/media/feed/index.js'
import { waitFor } from '../../support/waitFor.js'
import { unitOf } from '../support.js'

const wrap = 2 ** 33
const packetBytes = 188

describe('The feed over HTTP', () => {
  let server: Server
  let url: string
  let ring: FeedRing
  let writer: FeedWriter
  let ticks: number

  /** Groups of ten frames. */
  const write = (frames: number, packets = 2): void => {
    for (let count = 0; count < frames; count += 1) {
      const keyFrame = (ticks / 3600) % 10 === 0
      writer.write({ ...unitOf('video', 0, { keyFrame, packets }), ticks, endTicks: ticks + 3600 })
      ticks += 3600
    }
  }

  const open = (query: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      httpRequest(`${url}/feed/one${query}`, { agent: false }, resolve).on('error', reject).end()
    })

  /** Opens the feed and waits for that many bytes of it. */
  const read = async (
    query: string,
    size: number,
    onOpen: () => void = () => undefined,
  ): Promise<{ response: IncomingMessage; bytes: Buffer }> => {
    const response = await open(query)
    onOpen()
    const chunks: Buffer[] = []
    response.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk))
    const bytes = await waitFor(() => {
      const joined = Buffer.concat(chunks)
      return joined.length >= size ? joined : undefined
    })
    response.destroy()
    return { response, bytes }
  }

  beforeEach(async () => {
    ring = new FeedRing()
    writer = new FeedWriter(ring)
    ticks = 36_000 * 1000
    const feed = {
      ...{ ring, incarnation: 'run1', describe: () => ({ onAir: 'source' }) },
      ...{ before: { incarnation: 'partner1', end: 188 * 8 }, partnerUrl: 'http://partner:7100' },
    }
    const feedOf = (stream: string) => (stream === 'one' ? feed : undefined)
    const handle = createFeedHandler({ feedOf, backlogBytesMax: 256 * 1024, readersMax: 3 })
    server = createServer((request, response) => handle(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('begins at a key frame and goes on as frames come', async () => {
    write(35)
    const from = `?from=${36_000 * 1001 + 9000}`
    const { response, bytes } = await read(from, ring.end - 10 * 376 - 376 + 376, () => write(1))
    expect(response.headers['segue-feed-start']).toBe(String(36_000 * 1001))
    expect(response.headers['segue-feed-live']).toBe(String(36_000 * 1003 + 5 * 3600))
    expect([bytes[0], bytes.subarray(188, 191).toString('hex'), bytes.readUInt16BE(377) & 0x1fff]).toEqual([
      0x47,
      '475000',
      0x100,
    ])
  })

  it('says what to add to its 33 bit clock, before and after a wrap', async () => {
    ticks = Math.floor((50 * wrap) / 36_000) * 36_000
    write(20)
    const base = async (backMs: number) =>
      Number((await read(`?backMs=${backMs}`, 1)).response.headers['segue-feed-base'])
    expect(await base(60_000)).toBe(49 * wrap)
    expect(await base(0)).toBe(50 * wrap)
  })

  it('continues at the byte where a reader left off', async () => {
    write(30)
    const { response, bytes } = await read('?backMs=60000', 5000)
    const position = advancePosition(String(response.headers['segue-feed-position']), 1234)
    const again = await read(`?after=${position}`, 3000)
    expect(Buffer.compare(again.bytes.subarray(0, 3000), bytes.subarray(1234, 4234))).toBe(0)
  })

  it('lets readers of the partner go on as far as both have the same bytes, and names the partner', async () => {
    write(30)
    const whole = (await read('?from=0', ring.end)).bytes
    const { response, bytes } = await read(`?after=partner1-${188 * 8}`, ring.end - 188 * 8)
    expect(bytes).toEqual(whole.subarray(188 * 8))
    expect(response.headers).toMatchObject({
      'segue-feed-position': `run1-${188 * 8}`,
      'segue-feed-partner': 'http://partner:7100',
    })
    const further = await open(`?after=partner1-${188 * 9}`)
    expect(further.statusCode).toBe(410)
    further.resume()
  })

  it('cuts off a reader that does not read, and nobody waits for it', async () => {
    write(10)
    const response = await open('?backMs=0')
    const ended = new Promise((resolve) => response.once('close', resolve).once('error', resolve))
    let written = 0
    const cut = async (): Promise<boolean> => {
      write(50, 80)
      written += 50 * 80 * packetBytes
      const info = (await (await fetch(`${url}/feed/one/info`)).json()) as { readersCutOff: number; readers: number }
      return info.readersCutOff === 1 && info.readers === 0
    }
    await waitFor(cut, { everyMs: 1, timeoutMs: 10_000 })
    let received = 0
    response.on('data', (chunk: Buffer) => (received += chunk.length))
    await ended
    expect(received).toBeLessThan(written)
  })

  it.each([
    ['/feed/other', 404, 'unknown-stream'],
    ['/feed/one?from=-1', 400, 'bad-query'],
    ['/feed/one?from=soon', 400, 'bad-query'],
    ['/feed/one?from=1&backMs=2', 400, 'bad-query'],
    ['/feed/one?since=1', 400, 'bad-query'],
    ['/feed/one?after=nowhere', 400, 'bad-query'],
    ['/feed/one?after=run0-0', 410, 'gone'],
    ['/feed/one?after=run1-999999999', 410, 'gone'],
  ])('answers %s with %d %s', async (path, status, error) => {
    write(1)
    const response = await fetch(url + path)
    expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ error })])
  })

  it('asks to come back while there is no media, refuses to be written to, and bounds its readers', async () => {
    expect((await fetch(`${url}/feed/one`)).status).toBe(503)
    expect((await fetch(`${url}/feed/one`, { method: 'POST' })).status).toBe(405)
    write(10)
    const readers = [await open(''), await open(''), await open('')]
    expect((await fetch(`${url}/feed/one`)).status).toBe(503)
    readers.forEach((reader) => reader.on('error', () => undefined).destroy())
    await waitFor(
      async () => ((await (await fetch(`${url}/feed/one/info`)).json()) as { readers: number }).readers === 0,
    )
  })

  it.each(['//', 'http://['])('leaves a request for %s, which is no address, to others', (address) => {
    const handle = createFeedHandler({ feedOf: () => undefined })
    expect(handle({ url: address, method: 'GET' } as IncomingMessage, {} as ServerResponse)).toBe(false)
  })
})
