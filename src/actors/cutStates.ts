import type { Category, EventIn } from '../events/index.js'
import type { Decider } from './decider.js'
import type { RuleBook } from './rules.js'

/**
 * States of an entity right before a cut of its stream, by version of the rules: what the cut holds in place of the events
 * that led to them. A version sees its own view of everything before, so each has a state of its own.
 */
export type CutStates = Readonly<Record<string, unknown>>

type AnyDecider = Decider<Category, unknown>

const versionsIn = (book: RuleBook, category: Category): ReadonlyArray<AnyDecider> =>
  book[category] as unknown as ReadonlyArray<AnyDecider>

/**
 * The state with which a version of the rules goes on behind a cut; undefined when the cut has none. Rules that are newer
 * than the cut take over the state of the newest version that it knows; what they alone have begins as in a new entity, and
 * so does what states have held only since the cut was made.
 */
export function stateAfterCut<C extends Category, State>(
  decider: Decider<C, State>,
  entity: string,
  states: unknown,
): State | undefined {
  if (typeof states !== 'object' || states === null) return undefined
  const known = states as CutStates
  const versions = Object.keys(known)
    .map(Number)
    .filter((version) => version <= decider.version)
  if (versions.length === 0) return undefined
  return { ...decider.initial(entity), ...(known[Math.max(...versions)] as State) }
}

/** The states of a new entity, or those that an earlier cut has left. */
export const firstStates = (book: RuleBook, category: Category, entity: string, earlier: unknown): CutStates =>
  Object.fromEntries(
    versionsIn(book, category).map((decider) => [
      decider.version,
      stateAfterCut(decider, entity, earlier) ?? decider.initial(entity),
    ]),
  )

/** What an event makes of the states. */
export const nextStates = <C extends Category>(
  book: RuleBook,
  category: C,
  states: CutStates,
  event: EventIn<C>,
): CutStates =>
  Object.fromEntries(
    versionsIn(book, category).map(({ version, evolve }) => [
      version,
      evolve(states[version], event as EventIn<Category>),
    ]),
  )
