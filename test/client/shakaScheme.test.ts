import { createPlayerSession, useWithShaka } from '../../src/client/index.js'
import { SimulatedServer } from '../support/simulatedServer.js'
import { ViewerWorld } from '../support/viewerWorld.js'

interface Answer {
  readonly data: ArrayBuffer
  readonly headers: object
  readonly status: number
}
class Operation {
  constructor(
    readonly promise: Promise<unknown>,
    readonly abort: () => Promise<void>,
  ) {}
}
type Plugin = (uri: string, request: object, type: number) => Operation

class ShakaError extends Error {
  readonly data: ReadonlyArray<unknown>
  constructor(
    readonly severity: number,
    readonly category: number,
    readonly code: number,
    ...data: unknown[]
  ) {
    super()
    this.data = data
  }
}

/** What Shaka Player keeps of schemes: one table for the whole page. */
const shakaOfAPage = () => {
  const schemes = new Map<string, Plugin>()
  const NetworkingEngine = {
    registerScheme: (scheme: string, plugin: unknown) => void schemes.set(scheme, plugin as Plugin),
    unregisterScheme: (scheme: string) => void schemes.delete(scheme),
    PluginPriority: { APPLICATION: 3 },
  }
  const shaka = { util: { AbortableOperation: Operation, Error: ShakaError }, net: { NetworkingEngine } }
  const load = (uri: string): Operation => {
    const plugin = schemes.get(uri.slice(0, uri.indexOf(':')))
    if (plugin === undefined) throw new Error(`nobody fetches ${uri}`)
    return plugin(uri, {}, 1)
  }
  return { shaka, schemes, load }
}

const sessionOf = (world: ViewerWorld, server: SimulatedServer = world.a) =>
  createPlayerSession({ stream: world.stream, session: 'Alice_1', bootstrap: [server.url], ...world.ports() })

describe('the scheme for Shaka Player', () => {
  test('hands over what the session delivers', async () => {
    const world = new ViewerWorld()
    const { shaka, load } = shakaOfAPage()
    const session = sessionOf(world)
    const uri = useWithShaka(shaka, session)
    expect(uri).toMatch(/^segue-[a-z0-9-]+:\/\/a\.test\/streams\/news\/main\.m3u8$/)
    const { promise } = load(uri.replace('main.m3u8', `video/${world.a.live()}.m4s`))
    await world.run(1_000)
    const { data, headers, status } = (await promise) as Answer
    expect(Buffer.from(data).toString('latin1', 4, 8)).toBe('moof')
    expect([status, headers]).toMatchObject([200, { etag: expect.stringMatching(/^"[0-9a-f]{64}"$/) }])
    session.stop()
  })

  test('says what became of a request that came to nothing', async () => {
    const world = new ViewerWorld()
    const { shaka, load } = shakaOfAPage()
    const session = sessionOf(world)
    const uri = useWithShaka(shaka, session)
    session.start()
    await world.run(1_000)
    const gone = load(uri.replace('main.m3u8', `video/${world.a.live() - 900}.m4s`)).promise
    const aborted = load(uri.replace('main.m3u8', `video.m3u8?_HLS_msn=${world.a.live() + 2}`))
    void aborted.abort()
    const said = Promise.allSettled([gone, aborted.promise])
    await world.run(1_000)
    expect(await said).toMatchObject([{ reason: { code: 1001 } }, { reason: { code: 7001 } }])
    session.stop()
  })

  test('is another one for each session, also of one viewer, and is given back when that ends', async () => {
    const world = new ViewerWorld()
    const { shaka, schemes, load } = shakaOfAPage()
    const [first, second] = [sessionOf(world, world.a), sessionOf(world, world.b)]
    const [uri, otherUri] = [useWithShaka(shaka, first), useWithShaka(shaka, second)]
    expect(schemes.size).toBe(2)
    second.stop()
    expect(schemes.size).toBe(1)
    expect(() => load(otherUri)).toThrow('nobody fetches')
    const { promise } = load(uri)
    await world.run(1_000)
    expect(await promise).toMatchObject({ status: 200 })
    first.stop()
    expect(schemes.size).toBe(0)
  })
})
