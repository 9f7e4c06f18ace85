import type { Tell } from './finding.js'

/**
 * Invariant 3, by the ids: none stands in the log twice. Remembers 64 bits of each id in a table of eight bytes a place,
 * so that millions cost little; two different ids that share them are as likely as one in 10^6 for five million events,
 * and are told as a suspicion that a look at the ids settles.
 */
export class OnceCheck {
  readonly #tell: Tell
  #table: IdTable = new Uint32Array(2 * 65_536)
  #count = 0

  constructor(tell: Tell) {
    this.#tell = tell
  }

  /** The ids that have passed. */
  get ids(): IdTable {
    return this.#table
  }

  take(streamId: string, revision: number, id: string): void {
    const [high, low] = bitsOf(id)
    if (this.#count >= fullest * (this.#table.length / 2)) this.#grow()
    if (insert(this.#table, high, low)) this.#count += 1
    else this.#tell({ check: 'once', streamId, revision, message: `the id ${id} stands in the log twice` })
  }

  #grow(): void {
    const grown = new Uint32Array(this.#table.length * 2)
    for (let at = 0; at < this.#table.length; at += 2) {
      const high = this.#table[at] ?? 0
      const low = this.#table[at + 1] ?? 0
      if (high !== 0 || low !== 0) insert(grown, high, low)
    }
    this.#table = grown
  }
}

/** Share of the places that are taken before the table is doubled. */
const fullest = 0.7

/** 64 bits of each id, in the place that they themselves say or the next that was free. */
export type IdTable = Uint32Array<ArrayBuffer>

/** Whether an id of one table may stand in the other one, too. */
export function shareIds(one: IdTable, other: IdTable): boolean {
  const [from, to] = one.length < other.length ? [one, other] : [other, one]
  for (let at = 0; at < from.length; at += 2) {
    const [high, low] = [from[at] ?? 0, from[at + 1] ?? 0]
    if ((high !== 0 || low !== 0) && !isFree(to, placeOf(to, high, low))) return true
  }
  return false
}

/** False when it was there. */
function insert(table: IdTable, high: number, low: number): boolean {
  const at = placeOf(table, high, low)
  if (!isFree(table, at)) return false
  table[at] = high
  table[at + 1] = low
  return true
}

const isFree = (table: IdTable, at: number): boolean => table[at] === 0 && table[at + 1] === 0

/** Where these bits are, or where they belong. */
function placeOf(table: IdTable, high: number, low: number): number {
  const mask = table.length / 2 - 1
  for (let place = (low ^ Math.imul(high, 0x9e3779b1)) & mask; ; place = (place + 1) & mask) {
    const at = place * 2
    if (isFree(table, at) || (table[at] === high && table[at + 1] === low)) return at
  }
}

/** Two FNV-1a hashes of 32 bits over the whole id, because ids of other kinds than ours may share their ends. */
function bitsOf(id: string): readonly [number, number] {
  let high = 0x811c9dc5
  let low = 0x050c5d1f
  for (let index = 0; index < id.length; index += 1) {
    const code = id.charCodeAt(index)
    high = Math.imul(high ^ code, 0x01000193)
    low = Math.imul(low ^ code, 0x5bd1e995)
    low ^= low >>> 15
  }
  return [high >>> 0 || 1, low >>> 0]
}
