import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { EdgeMessage, TicketFlaw, ViewerMessage } from '../../messaging/index.js'
import { createAfterwards } from './afterwards.js'
import { gatherAudience } from './audience.js'
import { openChannel, type Channel, type ChannelHandlers } from './channel.js'
import type { PublishFact } from './facts.js'
import type { NoticeBoard, PostedNotice } from './noticeBoard.js'
import { createPulledRoutes } from './pulledRoutes.js'
import { createSessionReports, type SessionReports } from './sessionReports.js'
import { tallyCutover, type CutoverTally } from './tally.js'
import { createTicketDesk } from './tickets.js'
import { gatherTroubles } from './troubles.js'

/** Viewers' notice channel: WebSocket at `/notices/<stream>`, and plain HTTP below it (pulledRoutes.ts). */
export interface Edge {
  readonly attach: (server: Server) => void
  /** Answers what concerns notice channels over plain HTTP; false: the request is not one. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => boolean
  readonly viewers: () => number
  readonly viewersOf: (stream: string) => number
  readonly close: () => void
}

export interface EdgeOptions {
  readonly id: string
  readonly board: NoticeBoard
  readonly publishFact: PublishFact
  /** Where messages go that could not be understood. */
  readonly deadLetter: (subject: string, reason: string, data: unknown) => void
  readonly nowMs?: () => number
  readonly sessionsMax?: number
  readonly acknowledgeMsMax?: number
  readonly measureMsMax?: number
  readonly troubleEveryMs?: number
  readonly helloMsMax?: number
  readonly audienceEveryMs?: number
  /** Admit only sessions with a ticket made out to them. Default: everybody; a ticket that is shown must be valid. */
  readonly ticketsRequired?: boolean
}

interface Session {
  readonly id: string
  readonly stream: string
  readonly channel: Channel
  readonly reports: SessionReports
}

const pathPattern = /^\/notices\/([A-Za-z0-9][A-Za-z0-9_-]{0,63})\/?(?:\?.*)?$/
const messageBytesMax = 16 * 1024
const talliesPerStreamMax = 4

/** Keeps sessions, tells them of every newer notice, and reports what they answer. */
export function createEdge(options: EdgeOptions): Edge {
  const { id: edge, board, publishFact, nowMs = () => Date.now(), sessionsMax = 20_000 } = options
  const sockets = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax, clientTracking: true })
  const sessions = new Map<string, Map<string, Session>>()
  const tallies = new Map<string, CutoverTally[]>()
  const troubles = gatherTroubles({ edge, publishFact, nowMs, everyMs: options.troubleEveryMs ?? 1_000 })
  const audience = gatherAudience({ edge, publishFact, nowMs, everyMs: options.audienceEveryMs ?? 10_000 })
  const afterwards = createAfterwards()
  const desk = createTicketDesk(board.keyOf)
  let connections = 0

  const sessionsOf = (stream: string): Map<string, Session> => sessions.get(stream) ?? new Map<string, Session>()

  const textOf = ({ answer }: PostedNotice): string => {
    const message: EdgeMessage = { type: 'notice', notice: answer.notice }
    return JSON.stringify(message)
  }
  const tell = (session: Session, posted: PostedNotice, text = textOf(posted)): void => {
    session.channel.sendText(text)
    session.reports.notified(posted.notice.route)
  }

  const openTally = (posted: PostedNotice, told: ReadonlyArray<string>): void => {
    const { stream, epoch, cutover, primary, previous } = posted.notice.route
    const running = tallies.get(stream) ?? []
    if (running.some((tally) => tally.epoch === epoch && tally.cutover === cutover)) return
    const concerned = previous !== null && (primary.id === edge || previous.id === edge)
    if (told.length === 0 && !concerned) return
    const tally = tallyCutover({
      edge,
      notice: posted.notice,
      sessions: told,
      publishFact,
      nowMs,
      acknowledgeMsMax: options.acknowledgeMsMax ?? 300,
      measureMsMax: options.measureMsMax ?? 2_000,
    })
    // A finished tally stays for a while, so that a repeated cut-over is not counted twice.
    for (const dropped of running.slice(0, Math.max(0, running.length - talliesPerStreamMax + 1))) dropped.close()
    tallies.set(stream, [...running.slice(-(talliesPerStreamMax - 1)), tally])
  }

  const stopListening = board.onNewer((posted) => {
    const told = [...sessionsOf(posted.notice.route.stream).values()]
    const text = textOf(posted)
    for (const session of told) tell(session, posted, text)
    openTally(
      posted,
      told.map(({ id }) => id),
    )
  })

  const welcome = (session: Session, epochKnown: number | null): void => {
    session.channel.send({ type: 'welcome', edge })
    const known = board.newest(session.stream)
    if (known === null) {
      // Found notices reach the session through onNewer.
      void board.find(session.stream)
      return
    }
    if (known.notice.expiresAt <= nowMs()) return
    if (known.notice.route.epoch === epochKnown) session.channel.send({ type: 'notice', notice: known.answer.notice })
    else tell(session, known)
  }

  const enter = (stream: string, hello: Extract<ViewerMessage, { type: 'hello' }>, channel: Channel): Session => {
    const reports = createSessionReports({ edge, hello, publishFact, nowMs, afterwards: afterwards.add })
    const session: Session = { id: hello.session, stream, channel, reports }
    const present = sessions.get(stream) ?? new Map<string, Session>()
    // The same viewer again: its old connection is most likely dead. If it is not, another page goes by the same name;
    // whoever hears that it was replaced comes back less and less often.
    const replaced = present.get(hello.session)?.channel
    replaced?.send({ type: 'refused', reason: 'replaced by a newer connection', ticket: null })
    replaced?.close(1000, 'replaced by a newer connection')
    present.set(hello.session, session)
    sessions.set(stream, present)
    audience.entered(stream, hello.session, hello.location)
    welcome(session, hello.epochKnown)
    return session
  }

  const flawOf = ({ stream, session, ticket }: Extract<ViewerMessage, { type: 'hello' }>): TicketFlaw | null =>
    desk.flawOf(ticket, {
      ...{ stream, viewer: session, personal: options.ticketsRequired ?? false },
      issuerMs: board.newest(stream)?.notice.issuedAt ?? 0,
    })

  const leave = (session: Session, reason: string): void => {
    session.reports.left(reason, null)
    const present = sessionsOf(session.stream)
    if (present.get(session.id) !== session) return
    present.delete(session.id)
    audience.left(session.stream, session.id)
    if (present.size === 0) sessions.delete(session.stream)
    for (const tally of tallies.get(session.stream) ?? []) tally.left(session.id)
  }

  const handle = (session: Session, message: Exclude<ViewerMessage, { type: 'hello' }>): void => {
    const { reports, id } = session
    const running = tallies.get(session.stream) ?? []
    switch (message.type) {
      case 'acknowledge':
        reports.acknowledged(message)
        for (const tally of running) {
          if (tally.epoch === message.epoch && tally.cutover === message.cutover) tally.acknowledged(id)
        }
        return
      case 'switched':
        reports.switched(message)
        for (const tally of running) if (tally.epoch === message.epoch) tally.switched(id, message)
        return
      case 'stalled':
        return reports.stalled(message)
      case 'trouble':
        reports.trouble(message)
        if (isServing(board.newest(session.stream), message.server)) {
          troubles.report(message.server, id, message.reason)
        }
        return
      case 'ignored':
        // A forged or stale notice is the operator's business: it must not come from here.
        return options.deadLetter(
          `notices/${session.stream}`,
          `${id} ignored a notice: ${message.reason.slice(0, 40)}`,
          {
            session: id,
          },
        )
      case 'bye':
        reports.left(message.reason, message.totals)
        session.channel.close(1000, 'bye')
    }
  }

  const accept = <C extends Channel>(stream: string, open: (handlers: ChannelHandlers) => C): C => {
    let session: Session | null = null
    // The answer to the first ping may come before hello.
    let roundTripMs: number | null = null
    connections += 1
    const refuse = (reason: string, code: number, ticket: TicketFlaw | null = null): void => {
      channel.send({ type: 'refused', reason, ticket })
      channel.close(code, reason)
    }
    const helloTimer = setTimeout(() => refuse('no hello came', 1008), options.helloMsMax ?? 5_000).unref()
    const channel = open({
      onMessage(message) {
        if (message.type !== 'hello') {
          if (session === null) return refuse('the first message must be hello', 1008)
          return handle(session, message)
        }
        if (session !== null) return channel.send({ type: 'refused', reason: 'hello came twice', ticket: null })
        if (message.stream !== stream) return refuse(`this channel is about stream ${stream}`, 1008)
        clearTimeout(helloTimer)
        // An edge that has just begun knows no keys yet; by the next attempt it does.
        const isNew = board.newest(stream) === null
        if (isNew && options.ticketsRequired === true) {
          void board.find(stream)
          return refuse('this edge does not know the stream yet; try again', 1013)
        }
        const flaw = isNew ? null : flawOf(message)
        if (flaw !== null) return refuse(`the ticket does not admit ${message.session}: ${flaw}`, 1008, flaw)
        session = enter(stream, message, channel)
        if (roundTripMs !== null) audience.roundTrip(stream, session.id, roundTripMs)
      },
      onRoundTrip(rttMs) {
        roundTripMs = rttMs
        if (session !== null) audience.roundTrip(stream, session.id, rttMs)
      },
      onMalformed: (reason, text) =>
        options.deadLetter(`notices/${stream}`, reason, { session: session?.id ?? null, text: text.slice(0, 1_000) }),
      onClose() {
        clearTimeout(helloTimer)
        connections -= 1
        if (session !== null) leave(session, 'closed')
      },
    })
    if (connections > sessionsMax) refuse(`this edge has its ${sessionsMax} sessions; try another server`, 1013)
    return channel
  }

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    const stream = pathPattern.exec(request.url ?? '')?.[1]
    if (stream === undefined) {
      // Whoever does not close its half would hold the server's stop up.
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy())
      return
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      accept(stream, (handlers) => openChannel(opened, handlers))
    })
  }

  return {
    answer: createPulledRoutes({ accept, messageBytesMax }),
    attach: (server) => void server.on('upgrade', upgrade),
    viewers: () => [...sessions.values()].reduce((total, present) => total + present.size, 0),
    viewersOf: (stream) => sessionsOf(stream).size,
    close() {
      stopListening()
      troubles.close()
      audience.close()
      for (const running of tallies.values()) for (const tally of running) tally.close()
      for (const present of sessions.values()) {
        for (const session of present.values()) session.reports.left('edge closed', null)
      }
      afterwards.flush()
      sessions.clear()
      for (const socket of sockets.clients) {
        socket.close(1001, 'the server goes')
        setTimeout(() => socket.terminate(), 200).unref()
      }
      sockets.close()
    },
  }
}

/** A viewer can accuse only servers that it has been sent to. */
const isServing = (posted: PostedNotice | null, server: string): boolean => {
  if (posted === null) return false
  const { primary, standby, previous } = posted.notice.route
  return [primary, standby, previous].some((ref) => ref?.id === server)
}
