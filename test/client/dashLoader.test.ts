import { createPlayerSession, useWithDash, type PlayerSession } from '../../src/client/index.js'
import { ViewerWorld } from '../support/viewerWorld.js'

interface Answer {
  status?: number
  data?: unknown
}

type Load = (request: object, response: Answer) => unknown
type Extension = (this: { parent: { load: Load } }) => { load: Load }

/** dash.js as far as its loaders go: `override` keeps the class and replaces what the extension names (FactoryMaker). */
const dashWith = (session: PlayerSession) => {
  const elsewhere: object[] = []
  const loader: { load: Load } = { load: (request) => elsewhere.push(request) }
  useWithDash(
    {
      extend(name, extension, override) {
        expect([name, override]).toEqual(['XHRLoader', true])
        Object.assign(loader, (extension as Extension).call({ parent: loader }))
      },
    },
    session,
  )
  const ask = (url: string, responseType = '') => {
    const heard: string[] = []
    const response: Answer = {}
    const customData: { abort?: () => void } & Record<string, unknown> = {
      onloadend: () => heard.push('end'),
      onabort: () => heard.push('abort'),
      onprogress: (event: { loaded: number; time: number }) => heard.push(event.time > 0 ? 'progress' : 'no time'),
    }
    loader.load({ url, responseType, customData }, response)
    return { heard, response, abort: () => customData.abort?.() }
  }
  return { ask, elsewhere }
}

describe('the loader for dash.js', () => {
  let world: ViewerWorld
  let session: PlayerSession
  beforeEach(async () => {
    world = new ViewerWorld()
    session = createPlayerSession({ stream: world.stream, bootstrap: [world.a.url, world.b.url], ...world.ports() })
    session.start()
    await world.run(100)
  })
  afterEach(() => session.stop())

  it('gives texts as text and segments as buffers, and what dash.js measures them by', async () => {
    const { ask } = dashWith(session)
    const text = ask(session.url('video.m3u8'))
    const segment = ask(session.url(`video/${world.a.live()}.m4s`), 'arraybuffer')
    await world.run(100)
    expect([text.heard, text.response.status]).toEqual([['progress', 'end'], 200])
    expect(text.response.data).toMatch(/^#EXTM3U/)
    expect(segment.heard).toEqual(['progress', 'end'])
    expect(segment.response.data).toBeInstanceOf(ArrayBuffer)
  })

  it('says 404 when nobody has it, and is silent but for the abort when dash.js gives up', async () => {
    const { ask } = dashWith(session)
    const gone = ask(session.url(`video/${world.a.live() - 900}.m4s`), 'arraybuffer')
    const late = ask(session.url(`video/${world.a.live() + 2}.m4s`), 'arraybuffer')
    late.abort()
    await world.run(2_000)
    expect([gone.heard, gone.response.status]).toEqual([['end'], 404])
    expect([late.heard, late.response.status]).toEqual([['abort'], undefined])
  })

  it('leaves alone what is not of the stream', () => {
    const { ask, elsewhere } = dashWith(session)
    ask('https://elsewhere.example/time')
    expect(elsewhere).toMatchObject([{ url: 'https://elsewhere.example/time' }])
  })
})
