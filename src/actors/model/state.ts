import type { EventIn } from '../../events/index.js'
import { smoothed, startWeights, type Weights } from '../../model/index.js'

type Trained = Extract<EventIn<'model'>, { readonly type: 'ModelTrained' }>['data']

/** A model that was trained or shipped, and what became of it. */
export interface KnownModel {
  readonly model: string
  readonly artifact: string
  readonly weights: Weights
  readonly learner: string
  readonly trigger: Trained['trigger']
  readonly trainedAt: number
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
}

const knownMax = 50
const beforeMax = 20

export const initialModelState = (): ModelState => ({ known: [], active: null, before: [], failure: null })

export const activeModel = ({ known, active }: ModelState): KnownModel | undefined =>
  known.find(({ artifact }) => artifact === active?.artifact)

/** Weights with which a model is put in force: half way from those before. */
export const weightsInForce = ({ active }: ModelState, weights: Weights): Weights =>
  smoothed(active?.weights ?? startWeights, weights)

/** Applies one event. Total: an event that does not fit the state leaves it as it is. */
export function evolveModel(state: ModelState, event: EventIn<'model'>): ModelState {
  const at = event.metadata.occurredAt
  switch (event.type) {
    case 'ModelTrained': {
      const { model, artifact, weights, learner, trigger, comparison } = event.data
      const others = state.known.filter((each) => each.artifact !== artifact)
      const known = state.known.find((each) => each.artifact === artifact)
      const standing = known?.standing === 'active' ? 'active' : 'candidate'
      const fresh: KnownModel = {
        ...{ model, artifact, weights, learner, trigger, comparison, standing },
        trainedAt: at,
        reason: known?.reason ?? 'not judged yet',
      }
      return { ...state, known: [...others, fresh].slice(-knownMax), failure: null }
    }
    case 'TrainingFailed':
      return { ...state, failure: { at, reason: event.data.reason } }
    case 'ModelPromoted': {
      const { model, artifact, weights, replaces, reason } = event.data
      const isBack = state.before.at(-1) === artifact
      const before = isBack
        ? state.before.slice(0, -1)
        : [...state.before, ...(replaces === null ? [] : [replaces])].slice(-beforeMax)
      return {
        ...state,
        before,
        active: { model, artifact, weights, reference: event.id },
        known: state.known.map((each) => {
          if (each.artifact === artifact) return { ...each, standing: 'active', reason }
          return each.standing === 'active' ? { ...each, standing: 'retired' } : each
        }),
      }
    }
    case 'ModelRejected': {
      const { artifact, reason } = event.data
      const rejected = (each: KnownModel): KnownModel =>
        each.artifact === artifact ? { ...each, standing: 'rejected', reason } : each
      return { ...state, known: state.known.map(rejected) }
    }
    default:
      return state
  }
}
