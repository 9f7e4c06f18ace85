import type { ClientPayload, ServerPayload, StreamPayload } from '../../events/index.js'
import { isNewer } from '../../messaging/index.js'
import {
  subjects,
  type Notice,
  type Route,
  type RouteAnswer,
  type SignedNotice,
  type ViewerMessage,
} from '../../messaging/index.js'
import type { SimulatedProcess } from '../world/process.js'
import { contentOf } from '../world/signer.js'
import type { AcceptLine, EdgeLine } from './lines.js'
import { TroubleReports } from './troubleReports.js'

export interface EdgeOptions {
  readonly server: string
  readonly process: SimulatedProcess
  readonly nowMs: () => number
  readonly wallMs: () => number
  readonly publish: (
    subject: string,
    payload: ClientPayload | ServerPayload | StreamPayload,
    atMs: number,
    identity: ReadonlyArray<string | number>,
  ) => void
  /** Asks the control plane for the route of a stream. */
  readonly ask: (stream: string, answer: (found: RouteAnswer | null) => void) => void
  readonly onNewer: (route: Route) => void
  /** Also tell the clients' own logs. */
  readonly clientFacts: boolean
}

interface Session {
  readonly id: string
  readonly stream: string
  readonly line: EdgeLine
}

export interface Posted {
  readonly answer: RouteAnswer
  readonly notice: Notice
}

interface Tally {
  readonly epoch: number
  readonly cutover: number
  readonly startedAt: number
  readonly stream: string
  readonly sessions: number
  readonly toAcknowledge: Set<string>
  readonly toSwitch: Set<string>
  readonly measured: Extract<ViewerMessage, { readonly type: 'switched' }>[]
  acknowledged: number
  notifiedDone: boolean
  measuredDone: boolean
}

const acknowledgeMsMax = 300
const measureMsMax = 2_000
const talliesPerStreamMax = 4
/** Is only ever taken from. */
const nobody = new Set<string>()

/** Viewers' edge with its notice board: the rules of media/edge on virtual time. */
export class SimulatedEdge {
  readonly #options: EdgeOptions
  readonly #posted = new Map<string, Posted>()
  readonly #sessions = new Map<string, Session>()
  readonly #tallies = new Map<string, Tally[]>()
  readonly #troubles: TroubleReports
  #facts = 0

  constructor(options: EdgeOptions) {
    this.#options = options
    this.#troubles = new TroubleReports(options)
  }

  get viewers(): number {
    return this.#sessions.size
  }

  routeOf(stream: string): Route | null {
    return this.#posted.get(stream)?.notice.route ?? null
  }

  /** The newest notice of a stream, asked for when there is none. */
  find(stream: string, answer: (posted: Posted | null) => void): void {
    const known = this.#posted.get(stream)
    if (known !== undefined) return answer(known)
    this.#options.ask(stream, (found) => answer(found === null ? null : this.take(stream, found)))
  }

  /** A notice has come, by broadcast or as an answer. */
  take(stream: string, answer: RouteAnswer): Posted | null {
    const notice = contentOf(answer.notice)
    const present = this.#posted.get(stream)
    if (notice.route.stream !== stream || notice.expiresAt <= this.#options.wallMs()) return present ?? null
    const fresh = { answer, notice }
    if (isNewer(notice.route, present?.notice.route ?? null)) {
      this.#posted.set(stream, fresh)
      this.#options.onNewer(notice.route)
      this.#tellAll(fresh)
    } else if (present !== undefined && isRepeat(notice, present.notice)) this.#posted.set(stream, fresh)
    return this.#posted.get(stream) ?? null
  }

  readonly accept: AcceptLine = (line) => {
    let session: Session | null = null
    return {
      onMessage: (message) => {
        if (message.type === 'hello') session = this.#enter(message, line)
        else if (session !== null) this.#handle(session, message)
      },
      onClose: () => {
        if (session !== null) this.#leave(session)
      },
    }
  }

  #enter(hello: Extract<ViewerMessage, { readonly type: 'hello' }>, line: EdgeLine): Session {
    const { stream, session: id, epochKnown } = hello
    const session: Session = { id, stream, line }
    this.#sessions.get(id)?.line.close()
    this.#sessions.set(id, session)
    this.#report(id, {
      type: 'ClientConnected',
      data: { session: id, stream, edge: this.#options.server, epochKnown, agent: 'simulated' },
    })
    line.send({ type: 'welcome', edge: this.#options.server })
    const known = this.#posted.get(stream)
    if (known === undefined) this.find(stream, () => undefined)
    else if (known.notice.expiresAt > this.#options.wallMs()) this.#tell(session, known)
    return session
  }

  #leave(session: Session): void {
    if (this.#sessions.get(session.id) !== session) return
    this.#sessions.delete(session.id)
    this.#report(session.id, {
      type: 'ClientLeft',
      data: { edge: this.#options.server, reason: 'closed', totals: null },
    })
    for (const tally of this.#tallies.get(session.stream) ?? []) {
      if (tally.toAcknowledge.delete(session.id) && tally.toAcknowledge.size === 0) this.#notified(tally)
      if (tally.toSwitch.delete(session.id) && tally.toSwitch.size === 0) this.#measured(tally)
    }
  }

  #handle(session: Session, message: Exclude<ViewerMessage, { readonly type: 'hello' }>): void {
    const edge = this.#options.server
    switch (message.type) {
      case 'acknowledge': {
        const { epoch, cutover, sequence } = message
        this.#report(session.id, { type: 'ClientAcknowledged', data: { edge, epoch, cutover, sequence, elapsedMs: 0 } })
        for (const tally of this.#tallies.get(session.stream) ?? []) {
          if (tally.epoch !== epoch || tally.cutover !== cutover || !tally.toAcknowledge.delete(session.id)) continue
          tally.acknowledged += 1
          if (tally.toAcknowledge.size === 0) this.#notified(tally)
        }
        return
      }
      case 'switched': {
        const { type, ...data } = message
        this.#report(session.id, { type: 'ClientSwitched', data: { edge, ...data } })
        for (const tally of this.#tallies.get(session.stream) ?? []) {
          if (tally.epoch !== message.epoch || !tally.toSwitch.delete(session.id)) continue
          tally.measured.push({ type, ...data })
          if (tally.toSwitch.size === 0) this.#measured(tally)
        }
        return
      }
      case 'trouble':
        if (this.#isServing(session.stream, message.server))
          this.#troubles.tell(message.server, session.id, message.reason)
        return
      case 'stalled':
        return this.#report(session.id, {
          type: 'ClientStalled',
          data: { edge, number: message.number, stallMs: message.stallMs },
        })
      case 'ignored':
        return
      case 'bye':
        session.line.close()
        return this.#leave(session)
    }
  }

  #tellAll(posted: Posted): void {
    const { stream } = posted.notice.route
    const told = [...this.#sessions.values()].filter((session) => session.stream === stream)
    for (const session of told) this.#tell(session, posted)
    this.#openTally(
      posted.notice,
      told.map(({ id }) => id),
    )
  }

  #tell(session: Session, { answer, notice }: Posted): void {
    session.line.send({ type: 'notice', notice: answer.notice satisfies SignedNotice })
    const { epoch, cutover, sequence } = notice.route
    this.#report(session.id, { type: 'ClientNotified', data: { edge: this.#options.server, epoch, cutover, sequence } })
  }

  #openTally({ route }: Notice, told: ReadonlyArray<string>): void {
    const { stream, epoch, cutover, primary, previous } = route
    const running = this.#tallies.get(stream) ?? []
    if (running.some((tally) => tally.epoch === epoch && tally.cutover === cutover)) return
    const { server, process, wallMs } = this.#options
    const concerned = previous !== null && (primary.id === server || previous.id === server)
    if (told.length === 0 && !concerned) return
    const waited = told.length === 0 ? nobody : null
    const tally: Tally = {
      epoch,
      cutover,
      startedAt: wallMs(),
      stream,
      sessions: told.length,
      toAcknowledge: waited ?? new Set(told),
      toSwitch: waited ?? new Set(told),
      measured: [],
      acknowledged: 0,
      notifiedDone: false,
      measuredDone: false,
    }
    this.#tallies.set(stream, [...running.slice(-(talliesPerStreamMax - 1)), tally])
    if (told.length === 0) {
      this.#notified(tally)
      this.#measured(tally)
      return
    }
    process.after(acknowledgeMsMax, () => this.#notified(tally))
    process.after(measureMsMax, () => this.#measured(tally))
  }

  #notified(tally: Tally): void {
    if (tally.notifiedDone) return
    tally.notifiedDone = true
    const { epoch, cutover, stream, sessions, acknowledged, startedAt } = tally
    const { server: edge, publish } = this.#options
    const data = { epoch, edge, sessions, acknowledged, elapsedMs: 10 }
    publish(subjects.stream(stream), { type: 'ClientsNotified', data }, startedAt, [edge, stream, epoch, cutover])
  }

  #measured(tally: Tally): void {
    if (tally.measuredDone) return
    tally.measuredDone = true
    const { epoch, cutover, stream, measured, startedAt } = tally
    if (measured.length === 0) return
    const { server: edge, publish } = this.#options
    const sum = (of: (message: Tally['measured'][number]) => number): number =>
      measured.reduce((total, each) => total + of(each), 0)
    const data = {
      epoch,
      edge,
      sessions: measured.length,
      gaps: sum(({ gaps }) => gaps),
      duplicates: sum(({ duplicates }) => duplicates),
      hashMismatches: sum(({ hashMismatches }) => hashMismatches),
      stalls: sum(({ stalls }) => stalls),
      stallMsMax: Math.max(...measured.map(({ stallMs }) => stallMs)),
    }
    publish(subjects.stream(stream), { type: 'ViewersMeasured', data }, startedAt, [edge, stream, epoch, cutover])
  }

  #isServing(stream: string, server: string): boolean {
    const route = this.routeOf(stream)
    return route !== null && [route.primary, route.standby, route.previous].some((ref) => ref?.id === server)
  }

  #report(session: string, payload: ClientPayload): void {
    if (!this.#options.clientFacts) return
    this.#facts += 1
    const { publish, wallMs, server } = this.#options
    publish(subjects.client(session), payload, wallMs(), [server, session, this.#options.process.life, this.#facts])
  }
}

const isRepeat = (fresh: Notice, present: Notice): boolean =>
  fresh.route.epoch === present.route.epoch &&
  fresh.route.sequence === present.route.sequence &&
  fresh.expiresAt > present.expiresAt
