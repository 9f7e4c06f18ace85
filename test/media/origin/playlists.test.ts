import { createHash } from 'node:crypto'
import { createSegmentBuffer, type SegmentBuffer } from '../../../src/media/buffer/index.js'
import { faultsOfMediaPlaylist, faultsOfMultivariantPlaylist, faultsOfReload } from '../../support/hlsRules.js'
import { waitFor } from '../../support/waitFor.js'
import { startOrigin, type TestOrigin, type TestOriginOptions } from '../support/origins.js'
import {
  bufferOf,
  bufferOfSounds,
  bufferOfTwo,
  encode,
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

const text = async (origin: TestOrigin, path: string): Promise<string> => (await origin.get(path)).text()
const sequenceOf = (playlist: string): number => Number(/MEDIA-SEQUENCE:(\d+)/.exec(playlist)?.[1])

describe('playlists', () => {
  it('list the last N numbers with their absolute time', async () => {
    const origin = await start({ buffer: bufferOf(5_000_000_000, 5_000_000_040) })
    const playlist = await text(origin, '/streams/demo/video.m3u8')
    expect(playlist.split('\n').slice(0, 9)).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      '#EXT-X-TARGETDURATION:1',
      '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES',
      '#EXT-X-MEDIA-SEQUENCE:5000000025',
      '#EXT-X-MAP:URI="video/init.mp4"',
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(5_000_000_025 * 320).toISOString()}`,
      '#EXTINF:0.32000,',
      'video/5000000025.m4s',
    ])
    expect(playlist.trimEnd().endsWith('video/5000000040.m4s')).toBe(true)
  })

  it('keep to the rules of RFC 8216bis, from one reload to the next', async () => {
    const origin = await start({ buffer: bufferOf(5_000_000_000, 5_000_000_040) })
    origin.routes.accept(routeOf({ epoch: 2, cutover: 10, primary: refOf('b'), standby: refOf('a') }))
    expect(faultsOfMultivariantPlaylist(await text(origin, '/streams/demo/main.m3u8'))).toEqual([])
    for (const path of ['/streams/demo/video.m3u8', '/streams/demo/audio.m3u8']) {
      const before = await text(origin, path)
      encode(origin.buffer, (origin.buffer.live() ?? 0) + 1)
      const after = await text(origin, path)
      expect([faultsOfMediaPlaylist(before), faultsOfMediaPlaylist(after), faultsOfReload(before, after)]).toEqual([
        [],
        [],
        [],
      ])
    }
  })

  it('name all renditions without steering when a routed player asks for them', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    origin.routes.accept(routeOf({ epoch: 2, cutover: 1, primary: refOf('a'), standby: refOf('b') }))
    for (const [path, tag] of [
      ['main.m3u8', 'PATHWAY-ID'],
      ['main.m3u8', 'CONTENT-STEERING'],
      ['main.mpd', 'ContentSteering'],
    ]) {
      expect(await text(origin, `/streams/demo/${path}`)).toContain(tag)
      expect(await text(origin, `/streams/demo/${path}?steering=none`)).not.toContain(tag)
    }
    expect(faultsOfMultivariantPlaylist(await text(origin, '/streams/demo/main.m3u8?steering=none'))).toEqual([])
  })

  it('are not sent again to one who has them; what was waited for may be cached for a moment', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    for (const path of ['main.m3u8', 'main.mpd', 'video.m3u8']) {
      const first = await origin.get(`/streams/demo/${path}`)
      const etag = first.headers.get('etag') ?? ''
      expect(etag).toBe(
        `"${createHash('sha256')
          .update(await first.text())
          .digest('hex')}"`,
      )
      expect(first.headers.get('cache-control')).toBe('no-cache')
      const again = await origin.get(`/streams/demo/${path}`, { headers: { 'if-none-match': etag } })
      expect([again.status, await again.text()]).toEqual([304, ''])
    }
    const blocked = await origin.get('/streams/demo/video.m3u8?_HLS_msn=20')
    expect(blocked.headers.get('cache-control')).toBe('public, max-age=1')
  })

  it('are the same on two servers that hold different pasts', async () => {
    const one = await start({ id: 'a', buffer: bufferOf(1, 40) })
    const other = await start({ id: 'b', buffer: bufferOf(20, 40) })
    for (const name of ['main.m3u8', 'video.m3u8', 'audio.m3u8']) {
      expect(await text(other, `/streams/demo/${name}`)).toBe(await text(one, `/streams/demo/${name}`))
    }
  })

  it('name the codecs that the init segment carries', async () => {
    const origin = await start({ buffer: bufferOf(1, 3) })
    const playlist = await text(origin, '/streams/demo/main.m3u8')
    expect(playlist).toContain('CODECS="avc1.42c01e,mp4a.40.2"')
    expect(playlist).toContain('RESOLUTION=640x360')
    expect(playlist).toContain('AUDIO="a"')
    expect(playlist).toContain('\nvideo.m3u8\n')
  })

  it('offer every rendition with its own size, codecs and names, and the sound alone, on every server alike', async () => {
    const one = await start({ buffer: bufferOfTwo(1, 30), format: formatOfTwo })
    const other = await start({ id: 'b', buffer: bufferOfTwo(9, 30), format: formatOfTwo })
    const playlist = await text(one, '/streams/demo/main.m3u8')
    expect(faultsOfMultivariantPlaylist(playlist)).toEqual([])
    expect(playlist.split('\n').slice(5)).toEqual([
      '#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,STABLE-VARIANT-ID="v360",PATHWAY-ID="here",AUDIO="a"',
      'video.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=416000,CODECS="avc1.42c00d,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=25.000,STABLE-VARIANT-ID="v180",PATHWAY-ID="here",AUDIO="a"',
      'v180.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=128000,CODECS="mp4a.40.2",STABLE-VARIANT-ID="audio",PATHWAY-ID="here",AUDIO="a"',
      'audio.m3u8',
      '',
    ])
    const small = await text(one, '/streams/demo/v180.m3u8')
    expect(faultsOfMediaPlaylist(small)).toEqual([])
    expect(small).toBe((await text(one, '/streams/demo/video.m3u8')).replaceAll('video/', 'v180/'))
    for (const path of ['main.m3u8', 'main.mpd', 'video.m3u8', 'v180.m3u8']) {
      expect(await text(other, `/streams/demo/${path}`)).toBe(await text(one, `/streams/demo/${path}`))
    }
  })

  it('offer every sound by its language and name, and play the first one unless another is asked for', async () => {
    const one = await start({ buffer: bufferOfSounds(1, 30), format: formatOfSounds })
    const other = await start({ id: 'b', buffer: bufferOfSounds(9, 30), format: formatOfSounds })
    const playlist = await text(one, '/streams/demo/main.m3u8')
    expect(faultsOfMultivariantPlaylist(playlist)).toEqual([])
    expect(playlist.split('\n').filter((line) => line.startsWith('#EXT-X-MEDIA:'))).toEqual([
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",STABLE-RENDITION-ID="a",URI="audio.m3u8"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",STABLE-RENDITION-ID="a2",URI="audio-2.m3u8"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Director & crew",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",STABLE-RENDITION-ID="a3",URI="audio-3.m3u8"',
    ])
    const presentation = await text(one, '/streams/demo/main.mpd')
    expect([...presentation.matchAll(/contentType="audio".*lang="(\w+)"/g)].map(([, lang]) => lang)).toEqual([
      ...['en', 'de', 'en'],
    ])
    expect(presentation).toContain('<Label>Director &amp; crew</Label>')
    expect(presentation).toContain('media="audio-3/$Number$.m4s"')
    const third = await text(one, '/streams/demo/audio-3.m3u8')
    expect(faultsOfMediaPlaylist(third)).toEqual([])
    expect(third).toBe((await text(one, '/streams/demo/audio.m3u8')).replaceAll('audio/', 'audio-3/'))
    for (const path of ['main.m3u8', 'main.mpd', 'audio-3.m3u8', 'audio-2/init.mp4', 'audio-2/30.m4s']) {
      expect(await text(other, `/streams/demo/${path}`)).toBe(await text(one, `/streams/demo/${path}`))
    }
    const segment = await one.get('/streams/demo/audio-2/30.m4s')
    expect(segment.headers.get('content-type')).toBe('audio/mp4')
  })

  it('count from the last billion for readers with numbers of 32 bits', async () => {
    const origin = await start({ buffer: bufferOf(5_000_000_000, 5_000_000_040) })
    const short = await text(origin, '/streams/demo/main.mpd?numbers=short')
    expect(short).toContain('availabilityStartTime="2020-09-13T12:26:40.000Z"')
    expect(short).toContain('media="video/5$Number%09d$.m4s"')
    expect((await origin.get('/streams/demo/video/5000000040.m4s')).status).toBe(200)
    const ordinary = await text(origin, '/streams/demo/main.mpd')
    expect(ordinary).toContain('media="video/$Number$.m4s"')
    expect(ordinary).toContain('availabilityStartTime="1970-01-01T00:00:00Z"')
  })

  it('refuse a rendition that the stream does not have', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    for (const path of ['v180.m3u8', 'v180/init.mp4', 'v180/20.m4s', 'constructor/20.m4s', 'constructor/init.mp4']) {
      const answer = await origin.get(`/streams/demo/${path}`)
      expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([404, 'not-found'])
    }
  })

  it('count audio by its own frames', async () => {
    const origin = await start({ buffer: bufferOf(1, 3) })
    const durations = [...(await text(origin, '/streams/demo/audio.m3u8')).matchAll(/EXTINF:([\d.]+)/g)].map(Number)
    expect(durations).toHaveLength(3)
    const playlist = await text(origin, '/streams/demo/audio.m3u8')
    expect(playlist).toContain('#EXTINF:0.32000,\naudio/1.m4s')
  })

  it('block a reload until the number is there', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    const reload = text(origin, '/streams/demo/video.m3u8?_HLS_msn=21')
    encode(origin.buffer, 21)
    expect(await reload).toContain('video/21.m4s')
  })

  it('count a reload as asked for while it still waits, and one that is fenced not at all', async () => {
    const origin = await start({ id: 'a', buffer: bufferOf(1, 20) })
    origin.routes.accept(routeOf({ epoch: 2, cutover: 22, primary: refOf('b'), standby: null }))
    const reload = text(origin, '/streams/demo/video.m3u8?_HLS_msn=21')
    await waitFor(() => origin.requested.includes(21))
    encode(origin.buffer, 21)
    expect(await reload).toContain('video/21.m4s')
    await text(origin, '/streams/demo/video.m3u8?_HLS_msn=22')
    expect(origin.requested).toEqual([21])
  })

  it('refuse a reload too far ahead, and nonsense', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    expect((await origin.get('/streams/demo/video.m3u8?_HLS_msn=90')).status).toBe(400)
    expect((await origin.get('/streams/demo/video.m3u8?_HLS_msn=x')).status).toBe(400)
  })

  it('answer a blocked reload with what there is when nothing comes, never with a server error', async () => {
    const origin = await start({ buffer: bufferOf(1, 20) })
    const answer = await origin.get('/streams/demo/video.m3u8?_HLS_msn=21')
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('video/20.m4s')
  })

  it('never go back, not even when a hole is filled later', async () => {
    const buffer: SegmentBuffer = bufferOf(1, 8)
    encode(buffer, 10)
    encode(buffer, 11)
    const origin = await start({ buffer })
    expect(sequenceOf(await text(origin, '/streams/demo/video.m3u8'))).toBe(10)
    encode(buffer, 9)
    expect(buffer.runStart()).toBe(1)
    expect(sequenceOf(await text(origin, '/streams/demo/video.m3u8'))).toBe(10)
  })

  it('end before the cut-over where the server is fenced', async () => {
    const origin = await start({ id: 'a', buffer: bufferOf(1, 20) })
    origin.routes.accept(routeOf({ epoch: 2, cutover: 18, primary: refOf('b'), standby: null }))
    const playlist = await text(origin, '/streams/demo/video.m3u8')
    expect(playlist).toContain('video/17.m4s')
    expect(playlist).not.toContain('video/18.m4s')
    expect((await origin.get('/streams/demo/video.m3u8?_HLS_msn=18')).status).toBe(421)
  })

  it('wait for the first segment of a stream that has just begun', async () => {
    const buffer = createSegmentBuffer(20)
    const origin = await start({ buffer })
    const first = origin.get('/streams/demo/video.m3u8')
    await waitFor(async () => (await origin.get('/healthz')).ok)
    encode(buffer, 7)
    expect(sequenceOf(await (await first).text())).toBe(7)
  })
})
