import * as E from 'fp-ts/lib/Either.js'
import { deciders, sealed, unsealed, type Deciders, type Effect, type SnapshotStore } from '../actors/index.js'
import type { EventIn, EventStore, SegueEvent } from '../events/index.js'
import { derivedId, timeOfId } from '../events/index.js'
import type { Transport } from '../messaging/index.js'
import type { Invariant } from './checkers/checker.js'
import type { Watch } from '../runtime/control/coreOptions.js'
import type { ServerDefects } from './media/stationContext.js'
import type { SimulatedProcess } from './world/process.js'

/** A defect that is put into a run on purpose, to show that a checker sees it. Never active otherwise. */
export interface Plant {
  readonly name: string
  readonly meaning: string
  /** The invariants one of which has to be reported violated. */
  readonly breaks: ReadonlyArray<Invariant>
  readonly deciders?: () => Deciders
  readonly defects?: Partial<ServerDefects>
  readonly spoilWatch?: (watch: Watch) => Watch
  readonly spoilStore?: (store: EventStore, process: SimulatedProcess) => EventStore
  readonly spoilSnapshots?: (snapshots: SnapshotStore) => SnapshotStore
  readonly spoilControlTransport?: (transport: Transport) => Transport
  readonly spoilServerTransport?: (transport: Transport) => Transport
}

export const noDefects: ServerDefects = {
  fenceless: false,
  neverAsks: false,
  reportsEarly: false,
}

type StreamEvent = EventIn<'stream'>

const withStream = (change: Partial<Deciders['stream']>): Deciders => ({
  ...deciders,
  stream: { ...deciders.stream, ...change },
})

/** A server's actor that wants nothing of some kind. */
const withoutEffects = (unwanted: (effect: Effect) => boolean): Deciders => ({
  ...deciders,
  server: {
    ...deciders.server,
    outstanding: (state) => deciders.server.outstanding(state).filter((effect) => !unwanted(effect)),
  },
})

/** Rewrites what the stream's decider decides. */
const redeciding = (rewrite: (event: StreamEvent) => ReadonlyArray<StreamEvent>): Deciders =>
  withStream({ decide: (state, fact) => deciders.stream.decide(state, fact).flatMap(rewrite) })

const spoilAppend = (
  store: EventStore,
  append: (
    streamId: string,
    events: ReadonlyArray<SegueEvent>,
    options: Parameters<EventStore['append']>[2],
  ) => ReturnType<ReturnType<EventStore['append']>>,
): EventStore => ({ ...store, append: (streamId, events, options) => () => append(streamId, events, options) })

const unreached = '0'.repeat(16)

export const plants: ReadonlyArray<Plant> = [
  {
    name: 'no-fence',
    meaning: 'a server serves numbers of a newer epoch in which it has no part',
    breaks: ['authority'],
    defects: { fenceless: true },
  },
  {
    name: 'sleepwalker',
    meaning: 'a primary that was suspended serves on without asking whether it was replaced',
    breaks: ['authority'],
    defects: { neverAsks: true },
  },
  {
    name: 'cutover-too-early',
    meaning: 'K is put where the old primary has already served',
    breaks: ['authority'],
    deciders: () =>
      redeciding((event) =>
        event.type === 'CutoverChosen' && !event.data.emergency
          ? [{ ...event, data: { ...event.data, cutover: event.data.cutover - 4 } }]
          : [event],
      ),
  },
  {
    name: 'reused-epoch',
    meaning: 'a revoked cut-over leaves the primary in an epoch that was given out before',
    breaks: ['authority'],
    deciders: () =>
      redeciding((event) =>
        event.type === 'CutoverRevoked'
          ? [{ ...event, data: { ...event.data, stayEpoch: event.data.epoch } }]
          : [event],
      ),
  },
  {
    name: 'dropped-deadline',
    meaning: 'deadlines are decided but never asked of the clock',
    breaks: ['endings'],
    deciders: () =>
      withStream({
        outstanding: (state) => deciders.stream.outstanding(state).filter((effect) => effect.type !== 'deadline'),
      }),
  },
  {
    name: 'ignored-deadline',
    meaning: 'a deadline that passes during preparation is recorded and followed by nothing',
    breaks: ['endings'],
    deciders: () =>
      withStream({
        decide: (state, fact) =>
          fact.type === 'DeadlinePassed' && fact.data.step === 'activate' ? [] : deciders.stream.decide(state, fact),
      }),
  },
  {
    name: 'effect-before-append',
    meaning: 'the host acts on decisions before they are in the log',
    breaks: ['log'],
    spoilStore: (store, process) =>
      spoilAppend(store, (streamId, events, options) => {
        const { expected } = options
        if (typeof expected !== 'number') return store.append(streamId, events, options)()
        process.after(20, () => void store.append(streamId, events, options)())
        return Promise.resolve(
          E.right({ lastRevision: expected + events.length, position: unreached as never, repeated: false }),
        )
      }),
  },
  {
    name: 'lost-acknowledgement',
    meaning: 'an append whose outcome is unknown is taken for written',
    breaks: ['log'],
    spoilStore: (store) =>
      spoilAppend(store, async (streamId, events, options) => {
        const outcome = await store.append(streamId, events, options)()
        if (E.isRight(outcome) || outcome.left._tag !== 'AppendOutcomeUnknown') return outcome
        const head = typeof options.expected === 'number' ? options.expected : -1
        return E.right({ lastRevision: head + events.length, position: unreached as never, repeated: false })
      }),
  },
  {
    name: 'doubled-retry',
    meaning: 'an append whose outcome is unknown is tried again under new ids',
    breaks: ['log'],
    spoilStore: (store) =>
      spoilAppend(store, async (streamId, events, options) => {
        const outcome = await store.append(streamId, events, options)()
        if (E.isRight(outcome) || outcome.left._tag !== 'AppendOutcomeUnknown') return outcome
        const renamed = events.map((event) => ({ ...event, id: derivedId(timeOfId(event.id), 'again', event.id) }))
        return store.append(streamId, renamed, { expected: 'any' })()
      }),
  },
  {
    name: 'early-acknowledgement',
    meaning: 'the broker is told that a fact is done with before it is in the log',
    breaks: ['log'],
    spoilControlTransport: (transport) => ({
      ...transport,
      consume: (options) =>
        transport.consume({
          ...options,
          onMessage: (message) => {
            options.onMessage(message).catch(() => undefined)
            return Promise.resolve()
          },
        }),
    }),
  },
  {
    name: 'no-revision',
    meaning: 'the host appends whatever the revision of the stream is',
    breaks: ['replay', 'authority', 'endings', 'log'],
    spoilStore: (store) =>
      spoilAppend(store, (streamId, events) => store.append(streamId, events, { expected: 'any' })()),
  },
  {
    name: 'endless-retry',
    meaning: 'an append that is refused is tried again at once, as it was, for ever',
    breaks: ['endings'],
    spoilStore: (store) =>
      spoilAppend(store, async (...given) => {
        for (;;) {
          const outcome = await store.append(...given)()
          if (E.isRight(outcome) || outcome.left._tag !== 'WrongExpectedRevision') return outcome
        }
      }),
  },
  {
    name: 'memory-in-decider',
    meaning: 'a decision depends on something that is not in the facts',
    breaks: ['replay'],
    deciders: () => {
      let decided = 0
      return redeciding((event) => {
        decided += 1
        return event.type === 'PrimaryRetired' && event.data.deadlineAt !== null
          ? [{ ...event, data: { ...event.data, deadlineAt: event.data.deadlineAt + (decided % 7) } }]
          : [event]
      })
    },
  },
  {
    name: 'stale-snapshot',
    meaning: 'a snapshot holds the state that the one before it should have held',
    breaks: ['replay', 'authority', 'endings', 'log', 'recovery'],
    spoilSnapshots: (snapshots) => {
      const states = new Map<string, unknown>()
      return {
        ...snapshots,
        write: (name, text) => {
          const kept = unsealed(text) as { readonly state?: unknown }
          const state = states.get(name) ?? kept.state
          states.set(name, kept.state)
          snapshots.write(name, sealed(JSON.stringify({ ...kept, state })))
        },
      }
    },
  },
  {
    name: 'moody-model',
    meaning: 'what the learned model says depends on how often it was asked',
    breaks: ['replay'],
    deciders: () => {
      let asked = 0
      return {
        ...deciders,
        server: {
          ...deciders.server,
          decide: (state, fact) => {
            asked += 1
            const moody = (event: EventIn<'server'>): EventIn<'server'> =>
              event.type === 'StabilityAssessed' && state.outlook !== null
                ? { ...event, data: { ...event.data, risk: (asked % 7) / 7 } }
                : event
            return deciders.server.decide(state, fact).map(moody)
          },
        },
      }
    },
  },
  {
    name: 'never-withdrawn',
    meaning: 'streams are never told that a reason to leave a server is over',
    breaks: ['departure'],
    deciders: () => withoutEffects((effect) => effect.type === 'withdraw-handover'),
  },
  {
    name: 'unheard-drain',
    meaning: 'streams are never told that a server is drained',
    breaks: ['departure'],
    deciders: () => withoutEffects((effect) => effect.type === 'request-handover' && effect.cause === 'drain'),
  },
  {
    name: 'early-report',
    meaning: 'a standby says that it has reached K before it has',
    breaks: ['authority'],
    defects: { reportsEarly: true },
  },
  {
    name: 'forgotten-outage',
    meaning: 'a new control plane does not know which servers were on record as silent, and so never sees them return',
    breaks: ['recovery'],
    spoilWatch: (watch) => ({
      ...watch,
      add: (server, url) => watch.add(server, url, { silent: false, probeDown: false }),
    }),
  },
  {
    name: 'old-outage',
    meaning: 'an outage that was told of one process of a server is not told again of the next one',
    breaks: ['detection'],
    spoilWatch: (watch) => ({ ...watch, restarted: () => undefined }),
  },
  {
    name: 'lost-samples',
    meaning: 'a health sample that the broker does not confirm is forgotten',
    breaks: ['independence', 'log'],
    spoilServerTransport: (transport) => ({
      ...transport,
      state: () => 'connected',
      publish: (subject, data, options) => transport.publish(subject, data, options).catch(() => undefined),
    }),
  },
]

export const plantNamed = (name: string): Plant | undefined => plants.find((plant) => plant.name === name)
