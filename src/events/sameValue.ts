/**
 * Whether two plain values are equal. Most parts of values that are compared here are the very same object, so this is much
 * cheaper than to write them out. Not equal: NaN to itself, a property that is undefined to one that is not there.
 */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && areSameLists(a, b)
  let left = 0
  for (const key in a) {
    if (!isSameValue((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])) return false
    left += 1
  }
  for (const _ in b) left -= 1
  return left === 0
}

function areSameLists(a: ReadonlyArray<unknown>, b: ReadonlyArray<unknown>): boolean {
  return a.length === b.length && a.every((value, index) => isSameValue(value, b[index]))
}
