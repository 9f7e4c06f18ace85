import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HlsConfig } from 'hls.js'
import { createPlayerSession, hlsConfig, type PlayerSession } from '../../src/client/index.js'
import { settled } from '../support/simulatedClock.js'
import { waitFor } from '../support/waitFor.js'
import { ViewerWorld } from '../support/viewerWorld.js'

interface Heard {
  readonly success: unknown[]
  readonly errors: unknown[]
  readonly timeouts: unknown[]
  readonly aborts: unknown[]
}

const ask = (session: PlayerSession, url: string, responseType = '') => {
  const heard: Heard = { success: [], errors: [], timeouts: [], aborts: [] }
  const loader = new (hlsConfig(session).loader)()
  loader.load({ url, responseType }, null, {
    onSuccess: ({ data }) => heard.success.push(data),
    onError: ({ code }) => heard.errors.push(code),
    onTimeout: () => heard.timeouts.push(true),
    onAbort: () => heard.aborts.push(true),
  })
  return { heard, loader }
}

describe('the loader for hls.js', () => {
  let world: ViewerWorld
  let session: PlayerSession
  beforeEach(async () => {
    world = new ViewerWorld()
    session = createPlayerSession({ stream: world.stream, bootstrap: [world.a.url, world.b.url], ...world.ports() })
    session.start()
    await world.run(100)
  })
  afterEach(() => session.stop())

  it('fits the configuration of the real hls.js', () => {
    // Checked by the compiler: types have to agree.
    const config: Partial<HlsConfig> = hlsConfig(session)
    expect(config.liveSyncDuration).toBeCloseTo(1.1)
  })

  it('gives playlists as text and segments as buffers, with what hls.js measures them by', async () => {
    const playlist = ask(session, session.url('video.m3u8'))
    const segment = ask(session, session.url(`video/${world.a.live()}.m4s`), 'arraybuffer')
    await world.run(100)
    expect(playlist.heard.success).toEqual([expect.stringMatching(/^#EXTM3U/)])
    expect(segment.heard.success).toEqual([expect.any(ArrayBuffer)])
    const { loaded, loading } = segment.loader.stats
    expect(loaded).toBeGreaterThan(0)
    expect(loading.start <= loading.first && loading.first <= loading.end).toBe(true)
    expect(segment.loader.getResponseHeader('ETag')).toMatch(/^"[0-9a-f]{64}"$/)
  })

  it('is silent after abort and destroy', async () => {
    const aborted = ask(session, session.url('video.m3u8'))
    aborted.loader.abort()
    const destroyed = ask(session, session.url('video.m3u8'))
    destroyed.loader.destroy()
    await world.run(100)
    expect(aborted.heard).toEqual({ success: [], errors: [], timeouts: [], aborts: [true] })
    expect(destroyed.heard).toEqual({ success: [], errors: [], timeouts: [], aborts: [] })
  })

  it.each([503, 404, 403])('says what a key server answered (%d)', async (status) => {
    const keys = createServer((_, response) => response.writeHead(status).end())
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve))
    const { heard } = ask(session, `http://127.0.0.1:${(keys.address() as AddressInfo).port}/key`)
    await waitFor(() => heard.errors.length > 0)
    expect(heard.errors).toEqual([status])
    keys.closeAllConnections()
    await new Promise((resolve) => keys.close(resolve))
  })

  it('says that a key server cannot be reached', async () => {
    const { heard } = ask(session, 'http://127.0.0.1:1/key')
    await waitFor(() => heard.errors.length > 0)
    expect(heard.errors).toEqual([0])
  })

  it('says 404 for what nobody has any more, and an error once the session is over', async () => {
    const gone = ask(session, session.url(`video/${world.a.live() - 900}.m4s`))
    await world.run(1_000)
    expect(gone.heard.errors).toEqual([404])
    session.stop()
    const after = ask(session, session.url('video.m3u8'))
    await settled()
    expect(after.heard.errors).toEqual([0])
  })
})
