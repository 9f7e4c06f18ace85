import { Entity, modelDecider, systemClock } from '../../actors/index.js'
import { fleetModel, timeOrderedId, type EventIn, type EventStore } from '../../events/index.js'
import type { TrainedFromLog } from './trainFromLog.js'

/**
 * Records a training that an operator has made in a log whose control plane does not run, and what the rules decide of it. Another writer
 * is noticed by the revision; it would learn of this at its next fact. Answers the decisions. @throws HistoryUnreadable
 */
export async function recordTraining(
  store: EventStore,
  { recorded }: TrainedFromLog,
): Promise<ReadonlyArray<EventIn<'model'>>> {
  const decisions: EventIn<'model'>[] = []
  const entity = new Entity({
    decider: modelDecider,
    entity: fleetModel,
    store,
    clock: systemClock,
    onCommitted: (_state, events) => decisions.push(...events.filter(({ metadata }) => metadata.kind === 'decision')),
    isClosing: () => false,
  })
  await entity.load()
  const data = { ...recorded, trigger: 'operator' }
  await entity.handle({ id: timeOrderedId(systemClock.now()), type: 'ModelTrained', data })
  return decisions
}
