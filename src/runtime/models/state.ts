import * as E from 'fp-ts/lib/Either.js'
import { HistoryUnreadable, modelDecider, type ModelState } from '../../actors/index.js'
import { decodeEvent, fleetModel, streamIdOf, type EventStore } from '../../events/index.js'

/** What a log says of the models of its fleet. @throws HistoryUnreadable, StoreError */
export async function readModelState(store: EventStore): Promise<ModelState> {
  const stream = streamIdOf('model', fleetModel)
  let state = modelDecider.initial(fleetModel)
  for await (const recorded of store.readStream(stream)) {
    const event = decodeEvent('model', recorded)
    if (E.isLeft(event)) throw new HistoryUnreadable(stream, recorded.revision, event.left)
    state = modelDecider.evolve(state, event.right)
  }
  return state
}
