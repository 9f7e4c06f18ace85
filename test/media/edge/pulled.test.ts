import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import { withFallback, type NoticeChannel, type OpenNoticeChannel } from '../../../src/client/index.js'
import type { ViewerMessage } from '../../../src/messaging/index.js'
import { openNodeChannel } from '../../../src/runtime/viewerTransport.js'
import { waitFor } from '../../support/waitFor.js'
import { routeOf } from '../support/scripted.js'
import { begin, end, type World } from '../support/viewers.js'

const hello: ViewerMessage = {
  ...{
    type: 'hello',
    session: 'viewer-1',
    stream: 'demo',
    epochKnown: null,
    agent: 'test',
    ticket: null,
    location: null,
  },
}

interface Heard {
  readonly channel: () => NoticeChannel
  readonly types: string[]
  attempts: number
  isOpen: boolean
}

/** Opens again whenever it closes, as a session does. */
const listen = (open: OpenNoticeChannel, url: string): Heard => {
  let channel: NoticeChannel
  const heard: Heard = { channel: () => channel, types: [], attempts: 0, isOpen: false }
  const attempt = (): void => {
    heard.attempts += 1
    channel = open(url, {
      onOpen: () => {
        heard.isOpen = true
        channel.send(hello)
      },
      onMessage: (text) => heard.types.push((JSON.parse(text) as { type: string }).type),
      onClose: () => {
        heard.isOpen = false
        if (heard.attempts < 5) setTimeout(attempt, 5)
      },
    })
  }
  attempt()
  return heard
}

/** A network without WebSocket. */
const noSocket: OpenNoticeChannel = (_url, { onClose }) => {
  setImmediate(onClose)
  return { send: () => undefined, close: () => undefined }
}

describe('the notice channel', () => {
  let world: World
  const open: Heard[] = []
  beforeEach(async () => {
    world = await begin()
    world.announce(routeOf())
  })
  afterEach(async () => {
    for (const heard of open.splice(0)) {
      heard.attempts = 99
      heard.channel().close()
    }
    await end()
  })
  const listening = (way: OpenNoticeChannel, url = world.url): Heard => {
    const heard = listen(withFallback(way), `${url}/notices/demo`)
    open.push(heard)
    return heard
  }
  const acknowledge: ViewerMessage = { type: 'acknowledge', epoch: 2, cutover: 50, sequence: 7 }
  const next = routeOf({ epoch: 2, cutover: 50, sequence: 7 })

  it('is a WebSocket where there is one', async () => {
    const heard = listening(openNodeChannel)
    await waitFor(() => heard.types.length === 2)
    expect([heard.types, heard.attempts]).toEqual([['welcome', 'notice'], 1])
  })

  it('is server-sent events where WebSocket is blocked; what the viewer says is posted', async () => {
    const heard = listening(noSocket)
    await waitFor(() => heard.types.length === 2)
    expect([heard.types, heard.attempts]).toEqual([['welcome', 'notice'], 2])
    world.announce(next)
    await waitFor(() => heard.types.length === 3)
    heard.channel().send(acknowledge)
    heard.attempts = 99
    heard.channel().send({ type: 'bye', reason: 'done', totals: null })
    await waitFor(() => world.of('ClientLeft').length === 1)
    expect(world.of('ClientAcknowledged')).toMatchObject([{ epoch: 2, sequence: 7 }])
    await waitFor(() => world.edge.viewers() === 0)
  })

  it('is polled where streams are held back too', async () => {
    // A proxy that lets no event stream through.
    const proxy = createServer((request, response) => {
      if (request.url?.includes('/events') === true) return void response.writeHead(502).end()
      if (!world.edge.answer(request, response)) response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const heard = listening(noSocket, `ws://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
    await waitFor(() => heard.types.length === 2)
    expect([heard.types, heard.attempts]).toEqual([['welcome', 'notice'], 3])
    world.announce(next)
    await waitFor(() => heard.types.length === 3)
    heard.channel().send(acknowledge)
    await waitFor(() => world.of('ClientAcknowledged').length === 1)
    heard.attempts = 99
    heard.channel().close()
    proxy.closeAllConnections()
    await new Promise((resolve) => proxy.close(resolve))
  })

  it('is a WebSocket too when it was given up before it had opened', async () => {
    let sockets = 0
    const ways = withFallback((url, handlers) => {
      sockets += 1
      return openNodeChannel(url, handlers)
    })
    const url = `${world.url}/notices/demo`
    const nothing = { onOpen: () => undefined, onMessage: () => undefined, onClose: () => undefined }
    // Coming back to a page is told several times: it is shown, it is online.
    for (let times = 0; times < 2; times += 1) ways(url, nothing).close()
    const heard = listen(ways, url)
    open.push(heard)
    await waitFor(() => heard.types.length === 2)
    expect([heard.attempts, sockets]).toEqual([1, 3])
  })

  it('refuses over HTTP what it refuses over WebSocket, and forgets who hangs up', async () => {
    const address = `${world.url.replace('ws', 'http')}/notices/demo/messages?channel=0123456789abcdef`
    expect((await fetch(address, { method: 'POST', body: 'no JSON' })).status).toBe(204)
    expect(await (await fetch(address)).json()).toMatchObject([{ type: 'refused', reason: 'not JSON' }])
    expect((await fetch(address, { method: 'POST', body: 'x'.repeat(20_000) })).status).toBe(413)
    expect((await fetch(address.replace('0123456789abcdef', 'short'))).status).toBe(404)
    const gone = new AbortController()
    await fetch(address.replace('messages', 'events'), { signal: gone.signal })
    await fetch(address, { method: 'POST', body: JSON.stringify(hello) })
    await waitFor(() => world.edge.viewers() === 1)
    gone.abort()
    await waitFor(() => world.edge.viewers() === 0)
  })
})
