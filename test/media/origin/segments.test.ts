import { createHash } from 'node:crypto'
import { waitFor } from '../../support/waitFor.js'
import { startOrigin, type TestOrigin, type TestOriginOptions } from '../support/origins.js'
import { bufferOf, encode, init, refOf, routeOf, segmentOf } from '../support/scripted.js'
import { createSegmentBuffer } from '../../../src/media/buffer/index.js'

const open: TestOrigin[] = []
const start = async (options: TestOriginOptions): Promise<TestOrigin> => {
  const origin = await startOrigin(options)
  open.push(origin)
  return origin
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((origin) => origin.close()))
})

describe('segments over HTTP', () => {
  it('come with hash, digest, epoch, role and an unchanging cache life', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    origin.routes.accept(routeOf({ epoch: 3, cutover: 10 }))
    const answer = await origin.get('/streams/demo/video/12.m4s')
    const bytes = Buffer.from(await answer.arrayBuffer())
    const digest = createHash('sha256').update(bytes)
    expect(bytes).toEqual(Buffer.from(segmentOf(12, 'video').bytes))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('video/mp4')
    expect(answer.headers.get('content-digest')).toBe(`sha-256=:${digest.copy().digest('base64')}:`)
    expect(answer.headers.get('etag')).toBe(`"${digest.digest('hex')}"`)
    expect(answer.headers.get('segue-epoch')).toBe('3')
    expect(answer.headers.get('segue-role')).toBe('primary')
    expect(answer.headers.get('cache-control')).toContain('immutable')
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('access-control-expose-headers')).toContain('segue-epoch')
  })

  it('are not sent again to one who has these very bytes, nor to one who asks for the headers alone', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    const whole = await origin.get('/streams/demo/video/12.m4s')
    const etag = whole.headers.get('etag') ?? ''
    const known = await origin.get('/streams/demo/video/12.m4s', { headers: { 'if-none-match': `"other", ${etag}` } })
    expect([known.status, await known.text(), known.headers.get('etag')]).toEqual([304, '', etag])
    const other = await origin.get('/streams/demo/video/13.m4s', { headers: { 'if-none-match': etag } })
    expect(other.status).toBe(200)
    const head = await origin.get('/streams/demo/video/12.m4s', { method: 'HEAD' })
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', etag])
    expect(head.headers.get('content-length')).toBe(String((await whole.arrayBuffer()).byteLength))
  })

  it('come in pairs for a standby, which is no viewer', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    const waiting = origin.get('/streams/demo/pairs/21', { headers: { 'segue-peer': 'b' } })
    encode(origin.buffer, 21)
    const pair = await waiting
    const [video, audio] = [segmentOf(21, 'video').bytes, segmentOf(21, 'audio').bytes]
    expect(Buffer.from(await pair.arrayBuffer())).toEqual(Buffer.concat([video, audio]))
    expect(pair.headers.get('segue-video')).toBe(`${origin.buffer.get(21)?.video.sha256} ${video.length}`)
    expect(pair.headers.get('segue-audio')).toBe(`${origin.buffer.get(21)?.audio.sha256} ${audio.length}`)
    expect(origin.requested).toEqual([])
  })

  it('are not waited for in pairs when their number has been left out', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    const waiting = origin.get('/streams/demo/pairs/21')
    encode(origin.buffer, 22)
    expect((await waiting).status).toBe(404)
  })

  it('name the epoch that a number belongs to, and none where it is not known', async () => {
    const origin = await start({ buffer: bufferOf(1, 30) })
    origin.routes.accept(routeOf({ epoch: 3, cutover: 10 }))
    origin.routes.accept(routeOf({ epoch: 4, cutover: 25, sequence: 2 }))
    const epochOf = async (number: number): Promise<string | null> =>
      (await origin.get(`/streams/demo/audio/${number}.m4s`)).headers.get('segue-epoch')
    expect([await epochOf(9), await epochOf(24), await epochOf(25)]).toEqual([null, '3', '4'])
  })

  it('are waited for when they are about to come', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    const waiting = origin.get('/streams/demo/video/21.m4s')
    await waitFor(() => origin.requested.includes(21))
    encode(origin.buffer, 21)
    expect((await waiting).status).toBe(200)
  })

  it('are not waited for when they are far ahead, or for ever', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    const far = await origin.get('/streams/demo/video/25.m4s')
    expect(far.status).toBe(404)
    expect(far.headers.get('retry-after')).toBe('1')
    expect(await far.json()).toMatchObject({ error: 'not-yet', live: 20 })
    const startedAtMs = performance.now()
    const next = await origin.get('/streams/demo/video/21.m4s')
    const waitedMs = performance.now() - startedAtMs
    expect(await next.json()).toMatchObject({ error: 'not-yet' })
    expect(waitedMs).toBeGreaterThan(1_500)
    expect(waitedMs).toBeLessThan(3_000)
  })

  it('are gone once they are below the oldest', async () => {
    const origin = await start({ buffer: bufferOf(1, 100) })
    const answer = await origin.get('/streams/demo/video/3.m4s')
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ error: 'gone', oldest: 72, live: 100 })
  })

  it('answer nonsense with JSON', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    const statusOf = async (path: string): Promise<[number, unknown]> => {
      const answer = await origin.get(path)
      const body: unknown = await answer.json()
      return [answer.status, (body as { error: string }).error]
    }
    expect(await statusOf('/streams/demo/video/-1.m4s')).toEqual([400, 'bad-request'])
    expect(await statusOf('/streams/demo/video/1e3.m4s')).toEqual([400, 'bad-request'])
    expect(await statusOf('/streams/demo/video/99999999999999999999.m4s')).toEqual([400, 'bad-request'])
    expect(await statusOf('/streams/other/video/1.m4s')).toEqual([404, 'unknown-stream'])
    expect(await statusOf('/streams/demo/subtitles/1.m4s')).toEqual([404, 'not-found'])
    expect(await statusOf('/streams/demo/..%2f..%2fetc/1.m4s')).toEqual([404, 'not-found'])
  })

  it('tell browsers what they may send', async () => {
    const origin = await start({ buffer: bufferOf(1, 2) })
    const answer = await origin.get('/streams/demo/video/1.m4s', { method: 'OPTIONS' })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-methods')).toContain('GET')
  })

  it('give the init segment of each track and of both', async () => {
    const origin = await start({ buffer: bufferOf(1, 2) })
    for (const [path, bytes] of [
      ['/streams/demo/video/init.mp4', init.video],
      ['/streams/demo/audio/init.mp4', init.audio],
      ['/streams/demo/init.mp4', init.combined],
    ] as const) {
      const answer = await origin.get(path)
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from(bytes))
    }
  })

  it('do not count a peer as a viewer', async () => {
    const origin = await start({ buffer: bufferOf(1, 2) })
    await origin.get('/streams/demo/video/1.m4s', { headers: { 'segue-peer': 'b' } })
    await origin.get('/streams/demo/video/2.m4s')
    expect(origin.requested).toEqual([2])
  })
})

describe('fencing', () => {
  it('refuses numbers of a newer epoch in which the server has no part, and names the primary', async () => {
    const origin = await start({ id: 'a', buffer: bufferOf(1, 20) })
    const primary = refOf('b')
    origin.routes.accept(routeOf({ epoch: 2, cutover: 15, primary, standby: refOf('c'), previous: refOf('a') }))
    const above = await origin.get('/streams/demo/video/15.m4s')
    expect(above.status).toBe(421)
    expect(await above.json()).toMatchObject({ error: 'fenced', epoch: 2, cutover: 15, primary })
    const below = await origin.get('/streams/demo/video/14.m4s')
    expect(below.status).toBe(200)
    expect(origin.requested).toEqual([14])
  })

  it('lets the standby serve what the primary serves', async () => {
    const origin = await start({ id: 'b', buffer: bufferOf(1, 20) })
    origin.routes.accept(routeOf({ epoch: 2, cutover: 15 }))
    expect((await origin.get('/streams/demo/video/16.m4s')).status).toBe(200)
  })

  it('holds for requests that were waiting when the route changed', async () => {
    const origin = await start({ id: 'a', buffer: bufferOf(1, 20) })
    origin.routes.accept(routeOf())
    const waiting = origin.get('/streams/demo/video/21.m4s')
    await waitFor(() => origin.requested.includes(21))
    origin.routes.accept(routeOf({ epoch: 2, cutover: 21, primary: refOf('b'), standby: null }))
    encode(origin.buffer, 21)
    expect((await waiting).status).toBe(421)
  })

  it('holds where the stream has left the server already', async () => {
    const origin = await start({ id: 'a', buffer: bufferOf(1, 20) })
    origin.routes.accept(routeOf({ epoch: 2, cutover: 15, primary: refOf('b'), standby: null }))
    origin.forget()
    expect((await origin.get('/streams/demo/video/15.m4s')).status).toBe(421)
    expect((await origin.get('/streams/demo/video/14.m4s')).status).toBe(404)
  })

  it('ignores a route that is older than the one it has', async () => {
    const origin = await start({ id: 'a', buffer: bufferOf(1, 20) })
    origin.routes.accept(routeOf({ epoch: 2, cutover: 15, primary: refOf('b'), standby: null, sequence: 5 }))
    expect(origin.routes.accept(routeOf({ epoch: 1, sequence: 9 }))).toBe(false)
    expect(origin.routes.accept(routeOf({ epoch: 2, sequence: 4 }))).toBe(false)
    expect((await origin.get('/streams/demo/video/15.m4s')).status).toBe(421)
  })

  it('says at once that a retired server will not have a number any more', async () => {
    const origin = await start({ buffer: createSegmentBuffer(10) })
    origin.role('retired')
    origin.encoding(false)
    expect(await (await origin.get('/streams/demo/video/15.m4s')).json()).toMatchObject({ error: 'gone' })
  })
})
