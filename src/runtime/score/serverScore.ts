import * as E from 'fp-ts/lib/Either.js'
import { HistoryUnreadable, serverDecider, stateAfterCut, type ServerState } from '../../actors/index.js'
import { decodeEvent, streamIdOf, type Band, type EventIn, type EventStore } from '../../events/index.js'
import { cutOf } from '../../events/integrity/index.js'
import {
  circumstances,
  featuresShared,
  follow,
  groupNames,
  isWarm,
  lossesOf,
  modelOf,
  spreadWeights,
  type Weights,
} from '../../model/index.js'
import { contributionsOf, type Contribution } from '../../model/learners/index.js'

/** What a group of metrics took off the score. */
export interface GroupPart {
  readonly name: string
  /** Share in the score, among the groups that were measured. */
  readonly weight: number
  /** 0 (worst) to 1 (best). */
  readonly health: number
  /** Points (of 100) that it took off. */
  readonly points: number
}

/** How a server was judged at a moment, with everything that it rests on. */
export interface ServerScore {
  readonly server: string
  /** When its newest sample was recorded, Unix milliseconds, and its number within the boot. */
  readonly at: number
  readonly sampleSeq: number
  readonly score: number
  readonly band: Band
  readonly risk: number
  readonly timeToLimitMs: number | null
  readonly model: string
  /** SHA-256 of the model; null: the risk is set by hand. */
  readonly artifact: string | null
  /** Null: the model has not seen a whole horizon of this boot yet, so only forecasts of limits speak. */
  readonly outlook: ServerState['outlook']
  readonly weights: Weights
  /** Groups that were measured, what took most off first. */
  readonly groups: ReadonlyArray<GroupPart>
  /** Points that a maintenance window ahead takes off besides. */
  readonly maintenancePoints: number
  /** Features that moved the model's risk most, in logits; empty where it does not speak. */
  readonly features: ReadonlyArray<Contribution>
  readonly threshold: {
    readonly value: number
    readonly policy: number
    readonly reason: string
    /** When it was moved last; null: never. */
    readonly at: number | null
  }
  /** An alarm that is not resolved yet. */
  readonly prediction: ServerState['prediction']
}

/** The log cannot say how the server was judged; the message tells why. */
export class ScoreUnknown extends Error {
  readonly _tag = 'ScoreUnknown'
}

const featuresShown = 5

/**
 * How a server was judged at a moment (default: at the end of the log), derived from its facts by the rules in force.
 * Models must have been shelved. @throws ScoreUnknown, ModelMissing, HistoryUnreadable, StoreError
 */
export async function serverScore(store: EventStore, server: string, until = Infinity): Promise<ServerScore> {
  const stream = streamIdOf('server', server)
  let state = serverDecider.initial(server)
  let judged: Judged | null = null
  let reason: string | null = null
  let expected = 0
  for await (const recorded of store.readStream(stream)) {
    if (recorded.revision !== expected) state = await stateBehindCut(store, server, recorded.revision)
    expected = recorded.revision + 1
    const event = decodeEvent('server', recorded)
    if (E.isLeft(event)) throw new HistoryUnreadable(stream, recorded.revision, event.left)
    if (event.right.metadata.occurredAt > until) break
    const before = state
    state = serverDecider.evolve(state, event.right)
    if (isAssessed(event.right, before, state)) judged = { before, at: event.right.metadata.occurredAt }
    if (event.right.type === 'ThresholdAdjusted') reason = event.right.data.reason
    if (event.right.type === 'PolicyChanged' && state.threshold === state.policy.threshold) reason = null
  }
  if (state.joined === null) throw new ScoreUnknown(`no server ${server} has joined in this log (until then)`)
  if (judged === null || state.assessment === null) {
    throw new ScoreUnknown(`no health sample of the present boot of ${server} is in this log (until then)`)
  }
  return explain(state, judged, reason ?? 'it is the policy: nothing has moved it')
}

/** What was before this revision was archived: the ledger has the state that it led to. */
async function stateBehindCut(store: EventStore, server: string, revision: number): Promise<ServerState> {
  const stream = streamIdOf('server', server)
  const cut = await cutOf(store, stream)
  const state = cut?.revision === revision ? stateAfterCut(serverDecider, server, cut.states) : undefined
  if (state !== undefined) return state
  throw new ScoreUnknown(`what ${stream} held before event ${revision} was archived: give its folder with --archive`)
}

interface Judged {
  /** State before the newest sample. */
  readonly before: ServerState
  readonly at: number
}

const isAssessed = (event: EventIn<'server'>, before: ServerState, after: ServerState): boolean =>
  event.type === 'HealthSampled' && after.assessment !== null && after.assessment !== before.assessment

function explain(state: ServerState, { before, at }: Judged, reason: string): ServerScore {
  const { server, assessment, window, policy, weights, outlook, artifact, model, threshold, adjustedAt } = state
  const newest = window.entries.at(-1)
  if (assessment === null || newest === undefined) throw new ScoreUnknown(`${server} was not judged`)
  const features = featuresShared(window, policy.horizonMs)
  const besides = circumstances(state, newest.viewers, at)
  const losses = lossesOf({ features, besides, weights, outlook })
  const shares = new Map(spreadWeights({ ...features.health, ...besides }, weights))
  const groups = losses
    .map(({ name, points, health }): GroupPart => {
      const group = groupNames.find((each) => each === name)
      return { name, weight: group === undefined ? 0 : (shares.get(group) ?? 0), health, points }
    })
    .sort((a, b) => b.points - a.points || (a.name < b.name ? -1 : 1))
  const measured = 100 - groups.reduce((sum, { points }) => sum + points, 0)
  const { score, band, risk, timeToLimitMs, sampleSeq } = assessment
  return {
    ...{ server, at, sampleSeq, score, band, risk, timeToLimitMs, model, artifact, outlook, weights, groups },
    maintenancePoints: Math.max(0, Math.round(10 * (measured - score)) / 10),
    features: featuresOf(state, before),
    threshold: { value: threshold, policy: policy.threshold, reason, at: adjustedAt },
    prediction: state.prediction,
  }
}

function featuresOf({ artifact, outlook, window }: ServerState, before: ServerState): ReadonlyArray<Contribution> {
  const newest = window.entries.at(-1)
  if (artifact === null || outlook === null || newest === undefined) return []
  const { memory, vector } = follow(before.telemetry, newest, before.history)
  return vector !== null && isWarm(memory) ? contributionsOf(modelOf(artifact), vector, featuresShown) : []
}
