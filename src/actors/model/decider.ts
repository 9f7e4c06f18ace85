import type { Comparison, EventIn } from '../../events/index.js'
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

const version = 1
const correlationOf = (): string | null => null

type ModelDraft = Draft<'model', ModelState>

/** Which model judges the servers of a fleet: a trained one takes over only where it was shown to be better. */
export const modelDecider: Decider<'model', ModelState> = {
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
}

function react(draft: ModelDraft, fact: EventIn<'model'>): void {
  switch (fact.type) {
    case 'ModelTrained':
      return judge(draft, fact.data.artifact)
    case 'ModelPromotionRequested': {
      const { artifact, by } = fact.data
      return promote(draft, artifact, `asked for by ${by}`)
    }
    case 'ModelRollbackRequested': {
      const before = draft.state.before.at(-1)
      if (before !== undefined) promote(draft, before, `rolled back by ${fact.data.by}`)
      return
    }
    default:
      return
  }
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
  const { known, active } = draft.state
  const chosen = known.find((each) => each.artifact === artifact)
  if (chosen === undefined || active?.artifact === artifact) return
  const { model, weights } = chosen
  const inForce = weightsInForce(draft.state, weights)
  const replaces = active?.artifact ?? null
  draft.emit({ type: 'ModelPromoted', data: { model, artifact, weights: inForce, replaces, reason } })
}

function reject(draft: ModelDraft, { model, artifact, weights }: KnownModel, reason: string): void {
  draft.emit({ type: 'ModelRejected', data: { model, artifact, weights, reason } })
}

function outstanding({ active }: ModelState): ReadonlyArray<Effect> {
  return active === null ? [] : [{ type: 'activate-model', key: 'activate', ...active }]
}
