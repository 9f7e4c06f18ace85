import { createPlayerSession, useWithDash, type PlayerSession } from '../../src/client/index.js'
import { settled } from '../support/simulatedClock.js'
import { ViewerWorld } from '../support/viewerWorld.js'

interface Request {
  url: string
  readonly customData: { abort?: () => void; readonly request: Record<string, unknown> }
}
interface Response {
  readonly request: Request
  url?: string
  headers?: object
}

/** What dash.js does with its interceptors: a request through all of them, the load, the answer through all of them. */
class Dash {
  readonly #requests: ((request: Request) => Promise<Request>)[] = []
  readonly #responses: ((response: Response) => Promise<Response>)[] = []

  addRequestInterceptor(interceptor: (request: Request) => Promise<Request>): void {
    this.#requests.push(interceptor)
  }
  addResponseInterceptor(interceptor: (response: Response) => Promise<Response>): void {
    this.#responses.push(interceptor)
  }

  async load(request: Request) {
    for (const intercept of this.#requests) request = await intercept(request)
    const loadedFrom = request.url
    const bytes = await fetch(loadedFrom).then(
      (answer) => answer.arrayBuffer(),
      () => null,
    )
    let response: Response = { request, url: loadedFrom }
    for (const intercept of this.#responses) response = await intercept(response)
    return { loadedFrom, bytes: bytes === null ? null : Buffer.from(bytes), response }
  }
}

const requestFor = (url: string): Request => ({ url, customData: { request: {} } })

describe('the interceptors for dash.js', () => {
  let world: ViewerWorld
  let session: PlayerSession
  let dash: Dash
  let presentation: string
  beforeEach(async () => {
    world = new ViewerWorld()
    session = createPlayerSession({ stream: world.stream, bootstrap: [world.a.url, world.b.url], ...world.ports() })
    dash = new Dash()
    presentation = useWithDash(dash, session)
    session.start()
    await world.run(100)
  })
  afterEach(() => session.stop())

  it('name a presentation without steering, since the session chooses the server', () => {
    expect(presentation).toBe(session.url('main.mpd?steering=none'))
  })

  it('hand over what the session delivers, and give dash.js its own address back', async () => {
    const url = session.url(`video/${world.a.live()}.m4s`)
    const loading = dash.load(requestFor(url))
    await world.run(100)
    const { loadedFrom, bytes, response } = await loading

    expect(loadedFrom).toMatch(/^blob:/)
    expect(bytes?.toString('latin1', 4, 8)).toBe('moof')
    expect(response).toMatchObject({
      url,
      request: { url },
      headers: { etag: expect.stringMatching(/^"[0-9a-f]{64}"$/) },
    })
    const { startDate, firstByteDate, resourceTimingValues } = response.request.customData.request
    expect(Number(firstByteDate)).toBeGreaterThanOrEqual(Number(startDate))
    expect(resourceTimingValues).toMatchObject({ transferSize: bytes?.length })
    // Nothing is kept for an address that nobody asks for again.
    await expect(fetch(loadedFrom)).rejects.toThrow()
  })

  it('let dash.js see a failure where nobody has it', async () => {
    const url = session.url(`video/${world.a.live() - 900}.m4s`)
    const loading = dash.load(requestFor(url))
    await world.run(1_000)
    const { bytes, response } = await loading
    expect(bytes).toBeNull()
    expect(response.url).toBe(url)
  })

  it('load nothing that was aborted meanwhile', async () => {
    const request = requestFor(session.url(`video/${world.a.live() + 1}.m4s`))
    let isLoaded = false
    void dash.load(request).then(() => (isLoaded = true))
    await settled()
    request.customData.abort?.()
    await world.run(2_000)
    expect(isLoaded).toBe(false)
    expect(request.url).toMatch(/^http/)
  })

  it('leave alone what is not of the stream', async () => {
    const { response, loadedFrom } = await dash.load(requestFor('data:text/plain,key'))
    expect(loadedFrom).toBe('data:text/plain,key')
    expect(response.headers).toBeUndefined()
  })
})
