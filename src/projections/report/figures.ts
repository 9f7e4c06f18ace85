/** How a set of measurements is spread; null where there is none. Percentiles by nearest rank. */
export interface Spread {
  readonly count: number
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
  readonly max: number | null
}

export function spreadOf(values: ReadonlyArray<number | null>): Spread {
  const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b)
  const at = (share: number): number | null => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) ?? null }
}

/** A share of 0 to 1; null where there is nothing to take a share of. */
export const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

/** The values by a name that each has, in the order of the names. */
export function grouped<T>(
  values: ReadonlyArray<T>,
  nameOf: (value: T) => string,
): ReadonlyArray<[string, ReadonlyArray<T>]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const name = nameOf(value)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [value])
    else group.push(value)
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))
}
