import type { SimulatedBuffer } from './buffer.js'

export interface Matched {
  readonly copied: number
  readonly verified: number
}

export interface MatchTerms {
  /** Numbers above `after` up to `last` are looked at. */
  readonly after: number
  readonly last: number
  /** Numbers from here on are nobody else's. */
  readonly until: number
  /** Numbers above this are left to the own encoder, which is about to make them. */
  readonly leftToOwn: number
}

/** Makes what `own` holds equal to what `theirs` holds: compares what is there and copies what is missing or different. */
export function match(own: SimulatedBuffer, theirs: SimulatedBuffer, terms: MatchTerms): Matched {
  let copied = 0
  let verified = 0
  for (let number = terms.after + 1; number <= terms.last; number += 1) {
    const held = theirs.get(number)
    if (held === undefined || number >= terms.until) continue
    const present = own.get(number)
    if (present?.variant === held.variant) {
      own.markVerified(number)
      verified += 1
    } else if (present !== undefined || number <= terms.leftToOwn) {
      own.putCopied(number, held.variant)
      copied += 1
    }
  }
  return { copied, verified }
}
