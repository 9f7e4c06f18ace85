import type { Comparison, EventIn } from '../../events/index.js'
import { driftLimit, populationStabilityIndex } from '../../model/index.js'
import { Draft, type Decider } from '../decider.js'
import type { Effect } from '../effects.js'
import {
  activeModel,
  evolveModel,
  evolveModelV2,
  initialModelState,
  weightsInForce,
  type KnownModel,
  type ModelState,
} from './state.js'

const correlationOf = (): string | null => null

type ModelDraft = Draft<'model', ModelState>
type ModelDecider = Decider<'model', ModelState>

interface Rules {
  readonly version: number
  readonly evolve: ModelDecider['evolve']
  readonly react: (draft: ModelDraft, fact: EventIn<'model'>) => void
}

const rules = ({ version, evolve, react }: Rules): ModelDecider => ({
  category: 'model',
  version,
  initial: initialModelState,
  evolve,
  correlationOf,
  outstanding,
  decide(state, fact) {
    const draft: ModelDraft = new Draft({ evolve, version, correlationOf }, state, fact)
    react(draft, fact)
    return draft.events
  },
})

/**
 * Which model judges the servers of a fleet: a trained one takes over only where it was shown to be better. Models are
 * trained when somebody asks for it, when the time has come, and when the risks have drifted.
 */
export const modelDecider = rules({
  version: 3,
  evolve: evolveModel,
  react: (draft, fact) => react(draft, fact, judge),
})

/**
 * Version 2 forgot the model in force when many were rejected after it, and promoted what was better than a model that was
 * no longer in force.
 */
export const modelDeciderV2 = rules({
  version: 2,
  evolve: evolveModelV2,
  react: (draft, fact) => react(draft, fact, judgeV2),
})

/** Version 1 trained nothing, and recorded a rollback as a promotion. */
export const modelDeciderV1 = rules({
  version: 1,
  evolve: evolveModelV2,
  react(draft, fact) {
    if (fact.type !== 'ModelRollbackRequested') return choose(draft, fact, judgeV2)
    const before = draft.state.before.at(-1)
    if (before !== undefined) promote(draft, before, `rolled back by ${fact.data.by}`)
  },
})

/** What becomes of a model that was trained or shipped, and is not in force. */
type Judge = (draft: ModelDraft, trained: KnownModel) => void

function react(draft: ModelDraft, fact: EventIn<'model'>, judgeBy: Judge): void {
  switch (fact.type) {
    case 'ModelRollbackRequested':
      return rollBack(draft, fact.data.by)
    case 'TrainingRequested': {
      const { trigger, by } = fact.data
      return order(draft, trigger, `asked for by ${by}`)
    }
    case 'RiskDistributionSeen':
      return watchDrift(draft)
    default:
      return choose(draft, fact, judgeBy)
  }
}

function choose(draft: ModelDraft, fact: EventIn<'model'>, judgeBy: Judge): void {
  if (fact.type === 'ModelTrained') {
    const trained = knownAs(draft.state, fact.data.artifact)
    if (trained !== undefined && trained.standing !== 'active') judgeBy(draft, trained)
  } else if (fact.type === 'ModelPromotionRequested') {
    promote(draft, fact.data.artifact, `asked for by ${fact.data.by}`)
  }
}

function order(draft: ModelDraft, trigger: 'schedule' | 'drift' | 'operator', reason: string): void {
  if (draft.state.training !== null) return
  draft.emit({ type: 'TrainingOrdered', data: { trigger, reason } })
}

/** Notes when the risks of the model in force are spread otherwise than at first, and has a model trained then. */
function watchDrift(draft: ModelDraft): void {
  const { active, reference, recent } = draft.state
  if (active === null || reference === null || recent === null) return
  const index = Math.round(populationStabilityIndex(reference.shares, recent.shares) * 1_000) / 1_000
  if (index < driftLimit) return
  const { artifact } = active
  draft.emit({ type: 'DriftDetected', data: { artifact, index, limit: driftLimit, reference, recent } })
  order(draft, 'drift', `population stability index ${index} of the risks, ${driftLimit} is the limit`)
}

function rollBack(draft: ModelDraft, by: string): void {
  const before = draft.state.before.at(-1)
  const data = before === undefined ? null : inForceAs(draft, before, `rolled back by ${by}`)
  if (data !== null) draft.emit({ type: 'ModelRolledBack', data })
}

function judge(draft: ModelDraft, trained: KnownModel): void {
  const { state } = draft
  if (trained.trigger === 'shipped') {
    if (state.active !== null) return supersedeShipped(draft, trained)
    return promote(draft, trained.artifact, firstShipped)
  }
  const doubt = trained.comparison === null ? null : doubtOf(state, trained.comparison)
  if (doubt !== null) return reject(draft, trained, doubt)
  judgeFigures(draft, trained)
}

function judgeV2(draft: ModelDraft, trained: KnownModel): void {
  if (trained.trigger !== 'shipped') return judgeFigures(draft, trained)
  if (activeModel(draft.state) !== undefined) return supersedeShipped(draft, trained)
  promote(draft, trained.artifact, firstShipped)
}

const firstShipped = 'the shipped model: nothing was learned here yet'

/** A shipped model takes the place of another shipped one, never of one that was learned here. */
function supersedeShipped(draft: ModelDraft, { artifact }: KnownModel): void {
  if (activeModel(draft.state)?.trigger === 'shipped') promote(draft, artifact, 'a newer shipped model')
}

/** Why a comparison says nothing about the model in force; null: it does. Where none is in force, any will do. */
function doubtOf(state: ModelState, { against }: Comparison): string | null {
  const { active } = state
  if (active === null || against === active.artifact) return null
  if (against === null) return 'it is not told with which model it was compared'
  const other = knownAs(state, against)?.model ?? against
  return `it was compared with ${other}, which is not in force: ${active.model} is`
}

function judgeFigures(draft: ModelDraft, trained: KnownModel): void {
  const { artifact, comparison } = trained
  if (comparison === null) return reject(draft, trained, 'it was not compared with the model in force')
  if (comparison.gain.low > 0) return promote(draft, artifact, `better on later data: ${figuresOf(comparison)}`)
  reject(draft, trained, `not shown to be better on later data: ${figuresOf(comparison)}`)
}

const figuresOf = ({ challenger, champion, budget, gain }: Comparison): string => {
  const percent = (share: number | null): string => (share === null ? 'none' : `${Math.round(100 * share)} %`)
  const recalls = `recall ${percent(challenger.recall)} against ${percent(champion.recall)}`
  const interval = `gain ${percent(gain.value)} (${percent(gain.low)} to ${percent(gain.high)})`
  return `${recalls} at ${budget} false alarms a server-day, ${interval}, ${challenger.incidents} incidents`
}

const knownAs = ({ known }: ModelState, artifact: string): KnownModel | undefined =>
  known.find((each) => each.artifact === artifact)

function promote(draft: ModelDraft, artifact: string, reason: string): void {
  const data = inForceAs(draft, artifact, reason)
  if (data !== null) draft.emit({ type: 'ModelPromoted', data })
}

type InForce = Extract<EventIn<'model'>, { readonly type: 'ModelPromoted' }>['data']

/** What putting a model in force records; null for an unknown one, and for the one that is. */
function inForceAs({ state }: ModelDraft, artifact: string, reason: string): InForce | null {
  const { active } = state
  const chosen = knownAs(state, artifact)
  if (chosen === undefined || active?.artifact === artifact) return null
  const weights = weightsInForce(state, chosen.weights)
  return { model: chosen.model, artifact, weights, replaces: active?.artifact ?? null, reason }
}

function reject(draft: ModelDraft, { model, artifact, weights }: KnownModel, reason: string): void {
  draft.emit({ type: 'ModelRejected', data: { model, artifact, weights, reason } })
}

function outstanding({ active, training }: ModelState): ReadonlyArray<Effect> {
  const effects: Effect[] = []
  if (active !== null) effects.push({ type: 'activate-model', key: 'activate', ...active })
  if (training !== null) {
    const { id: reference, trigger } = training
    const champion = active?.artifact ?? null
    effects.push({ type: 'train-model', key: `train:${reference}`, reference, trigger, champion })
  }
  return effects
}
