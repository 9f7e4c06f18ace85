import * as t from 'io-ts'
import { sha256Hex } from '../../events/integrity/index.js'
import type { Decider } from '../decider.js'

/**
 * Where states of actors are kept beside the log, so that an actor need not begin at its first event. It holds nothing that
 * could not be made of the log again: whatever is missing, old or damaged is passed over. Neither function throws.
 */
export interface SnapshotStore {
  /** What was kept last under a name; null for nothing. */
  readonly read: (name: string) => string | null
  readonly write: (name: string, text: string) => void
  /** Events between two snapshots of an actor that goes on; default: 500. */
  readonly everyEvents?: number
}

/** The state of an actor after an event of its stream. */
export interface Snapshot<State> {
  readonly revision: number
  /** Id of the event at that revision: by it a snapshot is known to belong to this log. */
  readonly eventId: string
  /** Time of the newest event so far. */
  readonly lastAt: number
  /** Ids of the newest facts, oldest first. */
  readonly facts: ReadonlyArray<string>
  readonly state: State
}

const Kept = t.type({
  rules: t.string,
  revision: t.number,
  eventId: t.string,
  lastAt: t.number,
  facts: t.array(t.string),
  state: t.unknown,
})

/** By decider: it is asked for with every snapshot, and never changes. */
const rulesKnown = new WeakMap<object, string>()

/** What a state depends on besides the events: the version of the rules, and what they begin with. */
function rulesOf<State>(decider: Decider<never, State>): string {
  const known = rulesKnown.get(decider)
  if (known !== undefined) return known
  const { category, version, initial } = decider
  const made = `${String(category)} ${version} ${sha256Hex(JSON.stringify(initial('')))}`
  rulesKnown.set(decider, made)
  return made
}

/** A snapshot as text, with its hash before it. */
export function snapshotText<State>(decider: Decider<never, State>, snapshot: Snapshot<State>): string {
  const { revision, eventId, lastAt, facts, state } = snapshot
  return sealed(JSON.stringify({ revision, eventId, lastAt, facts, state, rules: rulesOf(decider) }))
}

/** The snapshot in a text; null when it is damaged, or was made by other rules than these. */
export function snapshotIn<State>(decider: Decider<never, State>, text: string | null): Snapshot<State> | null {
  const kept = unsealed(text)
  return Kept.is(kept) && kept.rules === rulesOf(decider) ? (kept as unknown as Snapshot<State>) : null
}

/** A JSON text with its hash before it. */
export const sealed = (json: string): string => `${sha256Hex(json)} ${json}`

/** The value of a text that `sealed` has made; null when it was changed since. */
export function unsealed(text: string | null): unknown {
  if (text === null) return null
  const json = text.slice(hashDigits + 1)
  return text.startsWith(`${sha256Hex(json)} `) ? (JSON.parse(json) as unknown) : null
}

const hashDigits = 64
