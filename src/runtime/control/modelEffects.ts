import type { Effect, IncomingFact } from '../../actors/index.js'
import { derivedId, fleetModel, timeOfId, type Category } from '../../events/index.js'
import { modelOf } from '../../model/index.js'
import type { WantedTraining } from '../training/index.js'
import type { FleetIndex } from './fleetIndex.js'

export interface ModelEffectOptions {
  readonly index: FleetIndex
  readonly tell: (category: Category, entity: string, fact: IncomingFact) => Promise<unknown>
  /** Trains a model and answers what came of it; null: the process ends. Absent: this control plane trains nothing. */
  readonly train?: (wanted: WantedTraining) => Promise<IncomingFact | null>
}

/** Puts every server under the model that is not yet, provided that the model is here to judge with. */
export async function activateModel(
  { index, tell }: ModelEffectOptions,
  effect: Extract<Effect, { readonly type: 'activate-model' }>,
): Promise<void> {
  const { model, artifact, weights, reference } = effect
  const others = index.servers().filter((state) => state.joined !== null && state.artifact !== artifact)
  if (others.length === 0) return
  modelOf(artifact)
  await Promise.all(
    others.map(({ server, artifact: before }) =>
      tell('server', server, {
        id: derivedId(timeOfId(reference), 'activate', reference, server, before ?? 'none'),
        type: 'ModelActivated',
        data: { model, artifact, weights },
        causationId: reference,
      }),
    ),
  )
}

/** Has a model trained from the log, and tells the fleet's model what came of it. */
export async function trainModel(
  { tell, train = nowhere }: ModelEffectOptions,
  { reference, trigger, champion }: Extract<Effect, { readonly type: 'train-model' }>,
): Promise<void> {
  const fact = await train({ reference, trigger, champion })
  if (fact !== null) await tell('model', fleetModel, fact)
}

const nowhere = ({ reference, trigger }: WantedTraining): Promise<IncomingFact> =>
  Promise.resolve({
    id: derivedId(timeOfId(reference), 'training', reference),
    type: 'TrainingFailed',
    data: { trigger, reason: 'this control plane has no log that a training could read' },
    causationId: reference,
  })
