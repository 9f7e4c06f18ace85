import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket } from 'ws'
import { decodePayload } from '../../../src/events/index.js'
import {
  createEdge,
  createNoticeBoard,
  type Edge,
  type EdgeOptions,
  type NoticeBoard,
} from '../../../src/media/edge/index.js'
import {
  EdgeMessage,
  FactMessage,
  Notice,
  subjects,
  type Route,
  type RouteAnswer,
  type ViewerMessage,
} from '../../../src/messaging/index.js'
import { waitFor } from '../../support/waitFor.js'
import { fakeTransport, type FakeTransport } from './fakeTransport.js'
import { format } from './scripted.js'

export const answerOf = (route: Route, validMs = 10_000): RouteAnswer => {
  const now = Date.now()
  return {
    notice: {
      payload: JSON.stringify({ route, issuedAt: now, expiresAt: now + validMs }),
      signature: 'c2ln',
      keyId: 'key-1',
    },
    ticket: { payload: '{}', signature: '', keyId: 'key-1' },
    noticeKey: 'a2V5',
    format,
  }
}

export interface World {
  readonly transport: FakeTransport
  readonly board: NoticeBoard
  readonly edge: Edge
  readonly url: string
  readonly facts: Array<{ readonly subject: string; readonly fact: FactMessage }>
  readonly deadLetters: string[]
  readonly announce: (route: Route, validMs?: number) => void
  readonly of: (type: string) => ReadonlyArray<Record<string, unknown>>
}

let server: Server
/** The world of the test that runs. */
export let world: World
export const viewers: WebSocket[] = []

export const begin = async (options: Partial<EdgeOptions> = {}): Promise<World> => {
  const transport = fakeTransport()
  const board = createNoticeBoard({ transport })
  const facts: World['facts'] = []
  const deadLetters: string[] = []
  const edge = createEdge({
    id: 'a',
    board,
    publishFact: (subject, fact) => void facts.push({ subject, fact }),
    deadLetter: (_subject, reason) => void deadLetters.push(reason),
    troubleEveryMs: 60,
    ...options,
  })
  server = createServer((request, response) => {
    if (!edge.answer(request, response)) response.writeHead(404).end()
  })
  edge.attach(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  world = {
    transport,
    board,
    edge,
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    facts,
    deadLetters,
    announce: (route, validMs) => transport.broadcast(subjects.notice(route.stream), answerOf(route, validMs)),
    of: (type) =>
      facts.filter(({ fact }) => fact.type === type).map(({ fact }) => fact.data as Record<string, unknown>),
  }
  return world
}

/** Ends what `begin` began, and checks that everything reported fits the log that it goes to. */
export const end = async (): Promise<void> => {
  // Whatever was reported must be acceptable to the log that it goes to.
  for (const { subject, fact } of world.facts) {
    const category = subject.startsWith('segue.client.')
      ? 'client'
      : subject.startsWith('segue.stream.')
        ? 'stream'
        : 'server'
    expect(decodePayload(category, fact)).toMatchObject({ _tag: 'Right' })
  }
  for (const viewer of viewers.splice(0)) viewer.terminate()
  world.edge.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

export interface Viewer {
  readonly socket: WebSocket
  readonly heard: EdgeMessage[]
  readonly notices: () => ReadonlyArray<Notice>
  readonly say: (message: ViewerMessage | string | object) => void
}

export const connect = async (
  session: string | null,
  epochKnown: number | null = null,
  stream = 'demo',
): Promise<Viewer> => {
  const socket = new WebSocket(`${world.url}/notices/${stream}`)
  viewers.push(socket)
  const heard: EdgeMessage[] = []
  socket.on('message', (data) => {
    const message: unknown = JSON.parse(String(data))
    if (!EdgeMessage.is(message)) throw new Error(`the edge said ${String(data)}`)
    heard.push(message)
  })
  socket.on('error', () => undefined)
  const say: Viewer['say'] = (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  await new Promise((resolve) => socket.once('open', resolve))
  if (session !== null) {
    say({ type: 'hello', session, stream, epochKnown, agent: 'test', ticket: null })
    await waitFor(() => heard.some(({ type }) => type === 'welcome'), { describe: 'the welcome' })
  }
  const notices = (): ReadonlyArray<Notice> =>
    heard.flatMap((message) => {
      const payload: unknown = message.type === 'notice' ? JSON.parse(message.notice.payload) : null
      return Notice.is(payload) ? [payload] : []
    })
  return { socket, heard, notices, say }
}
