import type { Comparison, EventIn } from '../../events/index.js'
import { driftLimit, populationStabilityIndex } from '../../model/index.js'
import { Draft, type Decider } from '../decider.js'
import type { Effect } from '../effects.js'
import {
  activeModel,
  evolveModel,
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
  readonly react: (draft: ModelDraft, fact: EventIn<'model'>) => void
}

const rules = ({ version, react }: Rules): ModelDecider => ({
  category: 'model',
  version,
  initial: initialModelState,
  evolve: evolveModel,
  correlationOf,
  outstanding,
  decide(state, fact) {
    const draft: ModelDraft = new Draft({ evolve: evolveModel, version, correlationOf }, state, fact)
    react(draft, fact)
    return draft.events
  },
})

/**
 * Which model judges the servers of a fleet: a trained one takes over only where it was shown to be better. Models are
 * trained when somebody asks for it, when the time has come, and when the risks have drifted.
 */
export const modelDecider = rules({
  version: 2,
  react(draft, fact) {
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
        return choose(draft, fact)
    }
  },
})

/** Version 1 trained nothing, and recorded a rollback as a promotion. */
export const modelDeciderV1 = rules({
  version: 1,
  react(draft, fact) {
    if (fact.type !== 'ModelRollbackRequested') return choose(draft, fact)
    const before = draft.state.before.at(-1)
    if (before !== undefined) promote(draft, before, `rolled back by ${fact.data.by}`)
  },
})

function choose(draft: ModelDraft, fact: EventIn<'model'>): void {
  if (fact.type === 'ModelTrained') return judge(draft, fact.data.artifact)
  if (fact.type !== 'ModelPromotionRequested') return
  const { artifact, by } = fact.data
  promote(draft, artifact, `asked for by ${by}`)
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

function judge(draft: ModelDraft, artifact: string): void {
  const trained = draft.state.known.find((each) => each.artifact === artifact)
  if (trained === undefined || trained.standing === 'active') return
  if (trained.trigger === 'shipped') return judgeShipped(draft, trained)
  const { comparison } = trained
  if (comparison === null) return reject(draft, trained, 'it was not compared with the model in force')
  if (comparison.gain.low > 0) return promote(draft, artifact, `better on later data: ${figuresOf(comparison)}`)
  reject(draft, trained, `not shown to be better on later data: ${figuresOf(comparison)}`)
}

/** A shipped model takes the place of another shipped one, never of one that was learned here. */
function judgeShipped(draft: ModelDraft, shipped: KnownModel): void {
  const active = activeModel(draft.state)
  if (active === undefined) return promote(draft, shipped.artifact, 'the shipped model: nothing was learned here yet')
  if (active.trigger === 'shipped') promote(draft, shipped.artifact, 'a newer shipped model')
}

const figuresOf = ({ challenger, champion, budget, gain }: Comparison): string => {
  const percent = (share: number | null): string => (share === null ? 'none' : `${Math.round(100 * share)} %`)
  const recalls = `recall ${percent(challenger.recall)} against ${percent(champion.recall)}`
  const interval = `gain ${percent(gain.value)} (${percent(gain.low)} to ${percent(gain.high)})`
  return `${recalls} at ${budget} false alarms a server-day, ${interval}, ${challenger.incidents} incidents`
}

function promote(draft: ModelDraft, artifact: string, reason: string): void {
  const data = inForceAs(draft, artifact, reason)
  if (data !== null) draft.emit({ type: 'ModelPromoted', data })
}

type InForce = Extract<EventIn<'model'>, { readonly type: 'ModelPromoted' }>['data']

/** What putting a model in force records; null for an unknown one, and for the one that is. */
function inForceAs({ state }: ModelDraft, artifact: string, reason: string): InForce | null {
  const { known, active } = state
  const chosen = known.find((each) => each.artifact === artifact)
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
