import { startOrigin, type TestOrigin, type TestOriginOptions } from '../support/origins.js'
import {
  bufferOf,
  bufferOfSounds,
  bufferOfTwo,
  formatOfSounds,
  formatOfTwo,
  refOf,
  routeOf,
} from '../support/scripted.js'

const open: TestOrigin[] = []
const start = async (options: TestOriginOptions): Promise<TestOrigin> => {
  const origin = await startOrigin(options)
  open.push(origin)
  return origin
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((origin) => origin.close()))
})

const steering = async (origin: TestOrigin): Promise<Record<string, unknown>> =>
  (await (await origin.get('/streams/demo/steering.json')).json()) as Record<string, unknown>

describe('steering', () => {
  const between = { epoch: 2, cutover: 10, primary: refOf('b'), standby: refOf('a') }

  it('sends players to the primary, then to the standby, with whole addresses', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    origin.routes.accept(routeOf(between))
    const [a, b] = [refOf('a').url, refOf('b').url]
    expect(await steering(origin)).toEqual({
      VERSION: 1,
      TTL: 1,
      'RELOAD-URI': `${a}/streams/demo/steering.json`,
      'PATHWAY-PRIORITY': ['b', 'a', 'here'],
      'PATHWAY-CLONES': [
        ['b', b],
        ['a', a],
      ].map(([id, url]) => ({
        'BASE-ID': 'here',
        ID: id,
        'URI-REPLACEMENT': {
          HOST: new URL(url ?? '').hostname,
          'PER-VARIANT-URIS': { v360: `${url}/streams/demo/video.m3u8` },
          'PER-RENDITION-URIS': { a: `${url}/streams/demo/audio.m3u8` },
        },
      })),
    })
  })

  it('moves every rendition at once', async () => {
    const origin = await start({ buffer: bufferOfTwo(1, 20), format: formatOfTwo })
    origin.routes.accept(routeOf(between))
    const [clone] = (await steering(origin))['PATHWAY-CLONES'] as ReadonlyArray<object>
    const at = (path: string): string => `${refOf('b').url}/streams/demo/${path}.m3u8`
    expect(clone).toMatchObject({
      'URI-REPLACEMENT': { 'PER-VARIANT-URIS': { v360: at('video'), v180: at('v180'), audio: at('audio') } },
    })
  })

  it('moves every sound at once', async () => {
    const origin = await start({ buffer: bufferOfSounds(1, 20), format: formatOfSounds })
    origin.routes.accept(routeOf(between))
    const [clone] = (await steering(origin))['PATHWAY-CLONES'] as ReadonlyArray<object>
    const at = (path: string): string => `${refOf('b').url}/streams/demo/${path}.m3u8`
    expect(clone).toMatchObject({
      'URI-REPLACEMENT': { 'PER-RENDITION-URIS': { a: at('audio'), a2: at('audio-2'), a3: at('audio-3') } },
    })
  })

  it('follows a newer route at once, and is never cached', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    origin.routes.accept(routeOf(between))
    origin.routes.accept(routeOf({ epoch: 3, cutover: 22, sequence: 9, primary: refOf('a'), standby: null }))
    const answer = await origin.get('/streams/demo/steering.json?_HLS_pathway=b&_HLS_throughput=5000000')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(await answer.json()).toMatchObject({ 'PATHWAY-PRIORITY': ['a', 'here'] })
  })

  it('leaves players where they are while no route is known', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    expect(await steering(origin)).toEqual({
      VERSION: 1,
      TTL: 1,
      'PATHWAY-PRIORITY': ['here'],
      'PATHWAY-CLONES': [],
    })
  })

  it('still says where a stream is that has left the server, and knows nothing of others', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    origin.routes.accept(routeOf(between))
    origin.forget()
    expect(await steering(origin)).toMatchObject({ 'PATHWAY-PRIORITY': ['b', 'a', 'here'] })
    const other = await start({ buffer: bufferOf(1, 20) })
    other.forget()
    expect((await other.get('/streams/demo/steering.json')).status).toBe(404)
  })
})

describe('the DASH presentation', () => {
  const mpd = async (origin: TestOrigin): Promise<string> => (await origin.get('/streams/demo/main.mpd')).text()
  const route = routeOf({ epoch: 2, cutover: 10, primary: refOf('b'), standby: refOf('a') })

  it('is the same on every server, and stays so while the stream runs', async () => {
    const one = await start({ id: 'a', buffer: bufferOf(1, 20) })
    const other = await start({ id: 'b', buffer: bufferOf(15, 40) })
    for (const origin of [one, other]) origin.routes.accept(route)
    expect(await mpd(other)).toBe(await mpd(one))
  })

  it('numbers segments from the unix epoch and names servers and steering', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    origin.routes.accept(route)
    const text = await mpd(origin)
    const [a, b] = [refOf('a').url, refOf('b').url]
    expect(text).toContain('availabilityStartTime="1970-01-01T00:00:00Z"')
    expect(text).toContain(
      '<SegmentTemplate timescale="90000" duration="28800" startNumber="0" initialization="video/init.mp4" media="video/$Number$.m4s"/>',
    )
    expect(text).toContain('codecs="avc1.42c01e" width="640" height="360" frameRate="25"')
    expect([...text.matchAll(/<BaseURL serviceLocation="(.*)">(.*)<\/BaseURL>/g)].map(([, ...found]) => found)).toEqual(
      [
        ['b', `${b}/streams/demo/`],
        ['a', `${a}/streams/demo/`],
      ],
    )
    expect(text).toContain(
      `<ContentSteering defaultServiceLocation="b" queryBeforeStart="false">${a}/streams/demo/steering.json</ContentSteering>`,
    )
  })

  it('gives the clock that its numbers follow', async () => {
    const origin = await start({ buffer: bufferOf(5_000_000_000, 5_000_000_020) })
    const answer = await origin.get('/streams/demo/time')
    expect(await answer.text()).toBe(new Date(5_000_000_021 * 320).toISOString())
  })
})
