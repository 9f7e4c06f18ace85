import { seededRandom } from '../learners/random.js'
import type { Trace } from './alarms.js'

/** Bounds of the middle 90 % of what resampling gives. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** What one incident counts, and when it began. */
export interface Timed<T> {
  readonly atMs: number
  readonly value: T
}

/** Incidents whose onsets follow each other within this time count as one cluster: they are not independent. */
const togetherMsDefault = 30 * 60_000

export const clustersOf = <T>(
  incidents: ReadonlyArray<Timed<T>>,
  togetherMs = togetherMsDefault,
): ReadonlyArray<ReadonlyArray<T>> => {
  const clusters: T[][] = []
  let last = -Infinity
  for (const { atMs, value } of [...incidents].sort((a, b) => a.atMs - b.atMs)) {
    if (atMs - last <= togetherMs) clusters.at(-1)?.push(value)
    else clusters.push([value])
    last = atMs
  }
  return clusters
}

const draws = 1_000

/** Bootstrap of a mean by clusters (Efron & Tibshirani 1993): percentiles 5 and 95. NaN without a cluster. */
export const meanInterval = (clusters: ReadonlyArray<ReadonlyArray<number>>, seed = 1): Interval => {
  if (clusters.length === 0) return { low: Number.NaN, high: Number.NaN }
  const random = seededRandom(seed)
  const means = Float64Array.from({ length: draws }, () => {
    let sum = 0
    let count = 0
    for (const _ of clusters) {
      const cluster = clusters[Math.floor(random() * clusters.length)] ?? []
      count += cluster.length
      for (const value of cluster) sum += value
    }
    return sum / count
  }).sort()
  return { low: means[Math.floor(draws * 0.05)] ?? 0, high: means[Math.floor(draws * 0.95)] ?? 0 }
}

/** The interval of a recall: the mean of hits and misses. */
export const recallInterval = (clusters: ReadonlyArray<ReadonlyArray<boolean>>, seed = 1): Interval =>
  meanInterval(
    clusters.map((hits) => hits.map(Number)),
    seed,
  )

/** Hits of each cluster over several traces, families apart. */
export const hitsOf = (
  traces: ReadonlyArray<Trace>,
  leadsOf: (trace: Trace) => ReadonlyArray<number | null>,
  familyOf: (trace: Trace) => string,
): ReadonlyArray<ReadonlyArray<boolean>> => {
  const families = new Map<string, Timed<boolean>[]>()
  for (const trace of traces) {
    const leads = leadsOf(trace)
    const list = families.get(familyOf(trace)) ?? []
    trace.incidents.forEach(({ onset }, index) => {
      list.push({ atMs: onset * trace.rules.stepMs, value: (leads[index] ?? null) !== null })
    })
    families.set(familyOf(trace), list)
  }
  return [...families.values()].flatMap((family) => clustersOf(family))
}
