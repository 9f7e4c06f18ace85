import type { ExpectedRevision } from '../store.js'

/** Whether a stream whose last revision is `head` (-1: no event) is as the writer believes. */
export function isMet(expected: ExpectedRevision, head: number): boolean {
  switch (expected) {
    case 'any':
      return true
    case 'none':
      return head === -1
    case 'exists':
      return head >= 0
    default:
      return head === expected
  }
}

/**
 * Whether events that stand at these revisions are what the same append, tried before, would have written: next to each
 * other, in order, and right behind the expected revision.
 */
export function isRepetition(expected: ExpectedRevision, revisions: ReadonlyArray<number | undefined>): boolean {
  const first = revisions[0]
  if (first === undefined || revisions.some((revision, index) => revision !== first + index)) return false
  if (expected === 'any' || expected === 'exists') return true
  return first === (expected === 'none' ? 0 : expected + 1)
}
