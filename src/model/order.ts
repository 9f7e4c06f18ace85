/** The value that a share of all values is below: the one at `share` of the way through them in rising order. */
export function quantile(values: ReadonlyArray<number>, share: number): number | null {
  const place = Math.min(values.length - 1, Math.floor(share * values.length))
  if (place < 0) return null
  // Only the values up to the place are kept in order.
  const smallest: number[] = []
  for (const value of values) {
    if (smallest.length > place) {
      if (value >= (smallest[place] ?? 0)) continue
      smallest.pop()
    }
    insert(smallest, value)
  }
  return smallest[place] ?? null
}

/** Puts a value where it belongs among sorted ones. For the few values that a window holds nothing is quicker. */
export function insert(sorted: number[], value: number): void {
  let at = sorted.length
  sorted.push(value)
  for (; at > 0; at -= 1) {
    const before = sorted[at - 1] ?? 0
    if (before <= value) break
    sorted[at] = before
  }
  sorted[at] = value
}
