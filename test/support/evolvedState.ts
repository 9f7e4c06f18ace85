import { deciders, type Decider } from '../../src/actors/index.js'
import { parseStreamId, type Category, type EventIn, type EventStore } from '../../src/events/index.js'

/** The state of a stream's actor before a revision, as JSON would keep it. */
export async function evolved(store: EventStore, streamId: string, revision: number): Promise<unknown> {
  const name = parseStreamId(streamId)
  if (name === null) throw new Error(`${streamId} belongs to no actor`)
  const decider = deciders[name.category] as unknown as Decider<Category, unknown>
  let state = decider.initial(name.entity)
  for await (const event of store.readStream(streamId)) {
    if (event.revision >= revision) break
    state = decider.evolve(state, event as unknown as EventIn<Category>)
  }
  return JSON.parse(JSON.stringify(state)) as unknown
}
