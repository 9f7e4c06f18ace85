import {
  ActorHost,
  deciders as rulesInForce,
  HistoryUnreadable,
  standingOf,
  type Committed,
  type EventsLost,
  type IncomingFact,
  type ServerState,
} from '../../actors/index.js'
import {
  fleetModel,
  streamIdOf,
  timeOrderedId,
  type Category,
  type EventIn,
  type ServerPolicy,
  type StreamPolicy,
} from '../../events/index.js'
import type { RecordedOutage } from '../../health/index.js'
import { entityOf, subjects, type RouteAnswer } from '../../messaging/index.js'
import { weightsFrom, type ShelvedModel } from '../../model/index.js'
import { HandoverBook } from '../../projections/handoverBook.js'
import type { HandoverHistory } from '../../projections/index.js'
import type { ControlCoreOptions, Watch } from './coreOptions.js'
import { FleetConditions } from './fleetCondition.js'
import { FleetIndex } from './fleetIndex.js'
import { FleetNews } from './fleetNews.js'
import { startIntake } from './intake.js'
import { LogSoFar } from './logSoFar.js'
import { createInterpreter, routeAnswer } from './interpreter.js'
import { RiskCounter } from './riskCounter.js'
import { onceAfter } from './onceAfter.js'
import { callRoll } from './roll.js'
import { ViewersAwake, type ViewerStatus } from './viewersAwake.js'

const storeTroubleEveryMs = 5_000
/** Events after which what is known of the log is kept anew. */
const logKeptEvery = 20_000
/** By how much what a server knows of its fleet may be. */
const conditionAfterMs = 5_000

/**
 * The control plane without its HTTP side: rebuilds the actors from the log, takes facts from the broker, hears the
 * watch, and tells servers and viewers what follows.
 */
export class ControlCore {
  readonly index = new FleetIndex()
  /** Resolves when the log has lost events that were known here: then nothing is decided any more. Close it, and begin anew. */
  readonly eventsLost: Promise<EventsLost>
  readonly #options: ControlCoreOptions
  readonly #newId: (atMs: number) => string
  readonly #host: ActorHost
  readonly #watch: Watch
  readonly #closers: (() => Promise<unknown>)[] = []
  readonly #fleetNews: FleetNews
  readonly #tellConditionLater: () => void
  readonly #unreadable = new Set<string>()
  readonly #viewers: ViewersAwake
  readonly #log: LogSoFar
  #handovers = new HandoverBook()
  #events = 0
  #eventsKept = 0
  #storeTroubleTold = -Infinity
  readonly #conditions = new FleetConditions()
  readonly #risks: RiskCounter
  #closing = false

  constructor(options: ControlCoreOptions) {
    this.#options = options
    this.#newId = options.newId ?? timeOrderedId
    const { transport, store, logger, signer, clock, deciders = rulesInForce, mailboxes, snapshots, trainer } = options
    let onEventsLost: (error: EventsLost) => void = () => undefined
    this.eventsLost = new Promise((resolve) => (onEventsLost = resolve))
    this.#risks = new RiskCounter(options.driftWindowMs)
    this.#log = new LogSoFar(store, snapshots)
    this.#watch = options.watch((server, fact) => this.#tellLater('server', server, fact))
    this.#tellConditionLater = onceAfter(clock, conditionAfterMs, () => this.#tellCondition())
    this.#fleetNews = new FleetNews({
      ...{ index: this.index, clock, newId: this.#newId, warn: logger.warn },
      tell: (stream, fact) => this.tell('stream', stream, fact),
    })
    this.#viewers = new ViewersAwake((session) => this.#host.passivate('client', session))
    this.#host = new ActorHost({
      store,
      clock,
      deciders,
      interpret: createInterpreter({
        ...{ transport, clock, index: this.index, signer, tell: this.tell },
        ...(trainer === undefined ? {} : { train: (wanted) => trainer.train(wanted) }),
      }),
      onCommitted: (committed) => this.#onCommitted(committed),
      onEffectFailure: (owner, effect, error) => logger.warn(`${owner}: ${effect.key}: ${messageOf(error)}`),
      onStoreTrouble: (error) => this.#onStoreTrouble(error),
      onEventsLost,
      ...(mailboxes === undefined ? {} : { mailboxes }),
      ...(snapshots === undefined ? {} : { snapshots }),
    })
  }

  get handovers(): HandoverHistory {
    return this.#handovers.list
  }

  /** Events seen in the log and committed since. */
  get events(): number {
    return this.#events
  }

  get viewers(): ReadonlyArray<ViewerStatus> {
    return this.#viewers.list
  }

  /** Hands a fact to an actor; see ActorHost.tell. */
  readonly tell = (category: Category, entity: string, fact: IncomingFact): Promise<'appended' | 'repeated'> =>
    this.#host.tell(category, entity, fact)

  /** The signed route of a stream; null when it is not placed yet. */
  routeOf(stream: string): RouteAnswer | null {
    const { signer, clock } = this.#options
    return routeAnswer({ index: this.index, signer, clock }, stream)
  }

  /** Reads the log, wakes the actors whose work may be unfinished. Actors whose history cannot be read are set aside. */
  async rebuild(): Promise<void> {
    await this.#log.resume()
    await this.#log.readOn()
    this.#events = this.#eventsKept = this.#log.events
    this.#handovers = new HandoverBook(this.#log.handovers)
    const order: ReadonlyArray<Category> = ['model', 'server', 'stream']
    for (const category of order) {
      await Promise.all(this.#log.entities(category).map((entity) => this.#wakeOrSetAside(category, entity)))
    }
  }

  /** What cannot be read is left alone, and facts of it are buried; the others must not suffer from it. */
  async #wakeOrSetAside(category: Category, entity: string): Promise<void> {
    try {
      await this.#host.wake(category, entity)
    } catch (error) {
      if (!(error instanceof HistoryUnreadable)) throw error
      const { streamId, revision, cause } = error
      this.#unreadable.add(streamId)
      this.#options.logger.warn(
        `${streamId} is set aside: event ${revision} of its history cannot be read (${messageOf(cause)}); ` +
          'nothing is decided about it and its facts go to the dead letters, until "segue audit" and "segue replay" have told why',
      )
    }
  }

  /** Makes the shipped model known, where it is not yet: it is put in force unless one was learned here. */
  async offerShipped({ artifact, model }: ShelvedModel): Promise<void> {
    if (this.#unreadable.has(streamIdOf('model', fleetModel))) return
    const state = await this.#host.wake('model', fleetModel)
    if (state.known.some((each) => each.artifact === artifact)) return
    const data: Extract<EventIn<'model'>, { readonly type: 'ModelTrained' }>['data'] = {
      ...{ model: model.id, artifact, learner: model.learner, weights: weightsFrom(model.groups) },
      ...{ trigger: 'shipped', data: null, comparison: null },
    }
    const id = this.#newId(this.#options.clock.now())
    await this.#host.tell('model', fleetModel, { id, type: 'ModelTrained', data })
  }

  /** Answers questions for routes and takes facts from the broker. Rejects when it takes no durable messages. */
  async listen(): Promise<void> {
    const { transport, logger, clock } = this.#options
    const responder = transport.respond(subjects.routeAll, (_data, subject) => {
      const answer = this.routeOf(entityOf(subject))
      return answer === null ? Promise.reject(new Error('the stream has no route yet')) : Promise.resolve(answer)
    })
    const intake = await startIntake({
      transport,
      now: clock.now,
      accept: (category, entity, fact) => this.#accept(category, entity, fact),
      onDeadLetter: (subject, reason, untold) =>
        logger.warn(
          `dead letter from ${subject}: ${reason}${untold === 0 ? '' : ` (${untold} more in the last minute)`}`,
        ),
    })
    this.#closers.push(
      () => intake.close(),
      () => responder.close(),
    )
    const lookAgain: ActorHost['lookAgain'] = (category, entity) => this.#host.lookAgain(category, entity)
    const stopRoll = callRoll({ transport, clock, index: this.index, lookAgain, warn: logger.warn })
    this.#closers.push(async () => stopRoll())
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#fleetNews.close()
    await Promise.all([
      ...this.#closers.map((close) => close()),
      this.#watch.close(),
      this.#options.trainer?.close() ?? Promise.resolve(),
    ])
    await this.#host.close()
  }

  async #accept(category: Category, entity: string, fact: IncomingFact): Promise<void> {
    if (category === 'server') return await this.#acceptFromServer(entity, fact)
    if (category === 'stream' && fact.type === 'StreamOpened') await this.#ensureStreamPolicy(entity)
    await this.#host.tell(category, entity, fact)
  }

  async #acceptFromServer(server: string, fact: IncomingFact): Promise<void> {
    if (fact.type === 'ServerJoined') await this.#ensureServerPolicy(server)
    await this.#host.tell('server', server, this.#withPath(server, fact))
  }

  /** Adds how the path to the server looks from here, if the sample is of this moment. */
  #withPath(server: string, fact: IncomingFact): IncomingFact {
    if (fact.type !== 'HealthSampled') return fact
    const data = fact.data as { readonly sample?: { readonly takenAt?: unknown; readonly intervalMs?: unknown } } | null
    const takenAt = Number(data?.sample?.takenAt)
    const ageMs = Math.abs(this.#options.clock.now() - takenAt)
    const fresh = ageMs < Math.max(2_000, 2 * Number(data?.sample?.intervalMs))
    return fresh ? { ...fact, data: { ...data, path: this.#watch.quality(server) } } : fact
  }

  async #ensureServerPolicy(server: string): Promise<void> {
    const policy = this.#options.serverPolicy
    const state = await this.#host.wake('server', server)
    if (JSON.stringify(state.policy) !== JSON.stringify(policy)) await this.#changePolicy('server', server, policy)
  }

  async #ensureStreamPolicy(stream: string): Promise<void> {
    const policy = this.#options.streamPolicy
    const state = await this.#host.wake('stream', stream)
    if (JSON.stringify(state.policy) !== JSON.stringify(policy)) await this.#changePolicy('stream', stream, policy)
  }

  async #changePolicy(category: Category, entity: string, policy: ServerPolicy | StreamPolicy): Promise<void> {
    await this.#host.tell(category, entity, {
      id: this.#newId(this.#options.clock.now()),
      type: 'PolicyChanged',
      data: { policy },
    })
  }

  /** Every fact that waits says so again and again: it is told every few seconds. */
  #onStoreTrouble(error: Error): void {
    const now = this.#options.clock.now()
    if (now < this.#storeTroubleTold + storeTroubleEveryMs) return
    this.#storeTroubleTold = now
    this.#options.logger.warn(`event store: ${error.message}; trying again`)
  }

  #onCommitted(committed: Committed): void {
    this.#events += committed.events.length
    if (this.#events - this.#eventsKept >= logKeptEvery) this.#keepLog()
    if (committed.category === 'client') return this.#viewers.take(committed as Committed<'client'>)
    if (committed.category === 'server') {
      const { state, events } = committed as Committed<'server'>
      this.#tellConditionLater()
      this.#countRisk(state, events)
      this.#watchAsRecorded(state)
      if (this.index.setServer(state)) this.#fleetNews.tell()
    } else if (committed.category === 'model') {
      this.index.setModel((committed as Committed<'model'>).state)
    } else {
      const { state, events, entity } = committed as Committed<'stream'>
      for (const event of events) this.#handovers.take(entity, event)
      // Another control plane may have shown it another fleet than this one did.
      const shown = events.some((event) => event.type === 'FleetObserved')
      if (shown) this.#fleetNews.shown(entity)
      if (this.index.setStream(state) || shown) this.#fleetNews.tell()
    }
  }

  #watchAsRecorded(state: ServerState): void {
    const standing = standingOf(state)
    if (standing === null) return
    const before = this.index.server(state.server)
    if (before !== undefined && hasBegunAnew(before, state)) this.#watch.restarted(standing.id)
    this.#watch.add(standing.id, standing.url, recordedOutage(state))
  }

  /** Counts what the model in force says, and records how it was spread once a window is over. */
  #countRisk({ artifact, outlook }: ServerState, events: Committed<'server'>['events']): void {
    const active = this.index.model?.active?.artifact
    if (outlook === null || artifact === null || artifact !== active) return
    if (!events.some(({ type }) => type === 'HealthSampled')) return
    const now = this.#options.clock.now()
    const data = this.#risks.count(artifact, outlook.risk, now)
    if (data === null) return
    this.#tellLater('model', fleetModel, { id: this.#newId(now), type: 'RiskDistributionSeen', data })
  }

  #keepLog(): void {
    this.#eventsKept = this.#events
    if (this.#options.snapshots === undefined || this.#closing) return
    // It only makes the next start quicker; whoever reads the log for its sake tells its troubles.
    this.#log.readOn().catch(() => undefined)
  }

  /** Tells servers how their fleet stands, where it is another than they know. */
  #tellCondition(): void {
    if (this.#closing) return
    const { clock } = this.#options
    const condition = this.#conditions.conditionOf(this.index.fleet(), this.index.servers(), clock.now())
    for (const state of this.index.servers()) {
      const fact = this.#conditions.factFor(state.server, state, condition, clock.now())
      if (fact !== null) this.#tellLater('server', state.server, fact)
    }
  }

  #tellLater(category: Category, entity: string, fact: IncomingFact): void {
    this.#host.tell(category, entity, fact).catch((error: unknown) => {
      this.#options.logger.warn(`${category}-${entity}: ${fact.type} was not recorded: ${messageOf(error)}`)
    })
  }
}

const recordedOutage = ({ signals }: ServerState): RecordedOutage => ({
  silent: signals.some(({ kind }) => kind === 'heartbeat'),
  probeDown: signals.some(({ kind }) => kind === 'probe'),
})

/** A new process has joined, or a failure is over: the actor has taken back all signs of failure. */
const hasBegunAnew = (before: ServerState, { joined, failed }: ServerState): boolean =>
  before.joined?.bootId !== joined?.bootId || (before.failed !== null && before.failed.id !== failed?.id)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
