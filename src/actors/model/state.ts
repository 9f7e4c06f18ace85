import type { EventIn, RiskDistribution } from '../../events/index.js'
import { smoothed, startWeights, type Weights } from '../../model/index.js'

type Trained = Extract<EventIn<'model'>, { readonly type: 'ModelTrained' }>['data']
type PutInForce = Extract<EventIn<'model'>, { readonly type: 'ModelPromoted' | 'ModelRolledBack' }>

/** A model that was trained or shipped, and what became of it. */
export interface KnownModel {
  readonly model: string
  readonly artifact: string
  readonly weights: Weights
  readonly learner: string
  readonly trigger: Trained['trigger']
  readonly trainedAt: number
  readonly data: Trained['data']
  readonly comparison: Trained['comparison']
  readonly standing: 'candidate' | 'active' | 'retired' | 'rejected'
  readonly reason: string
}

/** What is known of the models of a fleet. */
export interface ModelState {
  readonly known: ReadonlyArray<KnownModel>
  /** `reference` is the event that promoted it; `weights` are those it was put in force with. */
  readonly active: {
    readonly model: string
    readonly artifact: string
    readonly weights: Weights
    readonly reference: string
  } | null
  /** Artifacts that were in force before, the newest last. */
  readonly before: ReadonlyArray<string>
  readonly failure: { readonly at: number; readonly reason: string } | null
  /** The training that is under way. */
  readonly training: { readonly id: string; readonly trigger: Trained['trigger'] } | null
  /** When a training ended last, well or not. */
  readonly trainingEndedAt: number | null
  /** How the risks of the model in force were spread at first, or after the last drift, and of late. */
  readonly reference: RiskDistribution | null
  readonly recent: RiskDistribution | null
}

const knownMax = 50
const beforeMax = 20

export const initialModelState = (): ModelState => ({
  known: [],
  active: null,
  before: [],
  failure: null,
  training: null,
  trainingEndedAt: null,
  reference: null,
  recent: null,
})

export const activeModel = ({ known, active }: ModelState): KnownModel | undefined =>
  known.find(({ artifact }) => artifact === active?.artifact)

/** Weights with which a model is put in force: half way from those before. */
export const weightsInForce = ({ active }: ModelState, weights: Weights): Weights =>
  smoothed(active?.weights ?? startWeights, weights)

type Evolve = (state: ModelState, event: EventIn<'model'>) => ModelState

/** Leaves as many models as are kept. */
type Forget = (state: ModelState, known: ReadonlyArray<KnownModel>) => ReadonlyArray<KnownModel>

/**
 * Applies one event. Total: an event that does not fit the state leaves it as it is. The oldest models are forgotten, but for
 * those that somebody may come back to: the one in force, those that were before, and the shipped one.
 */
export const evolveModel: Evolve = (state, event) => applied(state, event, forgetUnneeded)

/** Until version 2 of the rules the oldest were forgotten, whatever they were. */
export const evolveModelV2: Evolve = (state, event) => applied(state, event, (_, known) => known.slice(-knownMax))

function forgetUnneeded({ active, before }: ModelState, known: ReadonlyArray<KnownModel>): ReadonlyArray<KnownModel> {
  const shipped = known.findLast(({ trigger }) => trigger === 'shipped')?.artifact
  const needed = new Set([active?.artifact, shipped, ...before])
  const spare = known.filter(({ artifact }) => !needed.has(artifact))
  const forgotten = new Set(spare.slice(0, Math.max(0, known.length - knownMax)))
  return known.filter((each) => !forgotten.has(each))
}

function applied(state: ModelState, event: EventIn<'model'>, forget: Forget): ModelState {
  const at = event.metadata.occurredAt
  switch (event.type) {
    case 'ModelTrained':
      return { ...withTrained(state, event.data, at, forget), ...trainingAfter(state, event) }
    case 'TrainingFailed':
      return { ...state, failure: { at, reason: event.data.reason }, ...trainingAfter(state, event) }
    case 'TrainingOrdered':
      return { ...state, training: { id: event.id, trigger: event.data.trigger } }
    case 'ModelPromoted':
    case 'ModelRolledBack':
      return inForce(state, event)
    case 'ModelRejected': {
      const { artifact, reason } = event.data
      const rejected = (each: KnownModel): KnownModel =>
        each.artifact === artifact ? { ...each, standing: 'rejected', reason } : each
      return { ...state, known: state.known.map(rejected) }
    }
    case 'RiskDistributionSeen': {
      const { artifact, distribution } = event.data
      if (artifact !== state.active?.artifact) return state
      return { ...state, reference: state.reference ?? distribution, recent: distribution }
    }
    case 'DriftDetected':
      // It has been acted upon: what comes is measured against how things are now.
      return { ...state, reference: event.data.recent }
    default:
      return state
  }
}

function withTrained(state: ModelState, data: Trained, at: number, forget: Forget): ModelState {
  const { artifact } = data
  const others = state.known.filter((each) => each.artifact !== artifact)
  const known = state.known.find((each) => each.artifact === artifact)
  const fresh: KnownModel = {
    ...data,
    standing: known?.standing === 'active' ? 'active' : 'candidate',
    trainedAt: at,
    reason: known?.reason ?? 'not judged yet',
  }
  return { ...state, known: forget(state, [...others, fresh]), failure: null }
}

/** A training ends with the fact that it caused; others, such as a shipped model, do not end it. */
function trainingAfter(
  { training, trainingEndedAt }: ModelState,
  { metadata }: EventIn<'model'>,
): Pick<ModelState, 'training' | 'trainingEndedAt'> {
  if (training === null || metadata.causationId !== training.id) return { training, trainingEndedAt }
  return { training: null, trainingEndedAt: metadata.occurredAt }
}

function inForce(state: ModelState, event: PutInForce): ModelState {
  const { model, artifact, weights, replaces, reason } = event.data
  const isBack = state.before.at(-1) === artifact
  const before = isBack
    ? state.before.slice(0, -1)
    : [...state.before, ...(replaces === null ? [] : [replaces])].slice(-beforeMax)
  return {
    ...state,
    before,
    active: { model, artifact, weights, reference: event.id },
    // Another model has other risks.
    reference: null,
    recent: null,
    known: state.known.map((each) => {
      if (each.artifact === artifact) return { ...each, standing: 'active', reason }
      return each.standing === 'active' ? { ...each, standing: 'retired' } : each
    }),
  }
}
