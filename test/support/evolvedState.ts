import { firstStates, nextStates, ruleBook } from '../../src/actors/index.js'
import { parseStreamId, type Category, type EventIn, type EventStore } from '../../src/events/index.js'

/** The states of a stream's actor before a revision, by version of the rules, as a cut carries them. */
export async function evolved(store: EventStore, streamId: string, revision: number): Promise<unknown> {
  const name = parseStreamId(streamId)
  if (name === null) throw new Error(`${streamId} belongs to no actor`)
  let states = firstStates(ruleBook, name.category, name.entity, null)
  for await (const event of store.readStream(streamId)) {
    if (event.revision >= revision) break
    states = nextStates(ruleBook, name.category, states, event as unknown as EventIn<Category>)
  }
  return JSON.parse(JSON.stringify(states)) as unknown
}
