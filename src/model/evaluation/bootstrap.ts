import { seededRandom } from '../learners/random.js'
import type { Trace } from './alarms.js'

/** Bounds of the middle 90 % of what resampling gives. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** Incidents whose onsets follow each other within half an hour count as one cluster: they are not independent. */
export const clustersOf = (
  onsets: ReadonlyArray<{ readonly atMs: number; readonly hit: boolean }>,
): ReadonlyArray<ReadonlyArray<boolean>> => {
  const clusters: boolean[][] = []
  let last = -Infinity
  for (const { atMs, hit } of [...onsets].sort((a, b) => a.atMs - b.atMs)) {
    if (atMs - last <= 30 * 60_000) clusters.at(-1)?.push(hit)
    else clusters.push([hit])
    last = atMs
  }
  return clusters
}

const draws = 1_000

/** Bootstrap of a recall by clusters of incidents (Efron & Tibshirani 1993): percentiles 5 and 95. */
export const recallInterval = (clusters: ReadonlyArray<ReadonlyArray<boolean>>, seed = 1): Interval => {
  if (clusters.length === 0) return { low: Number.NaN, high: Number.NaN }
  const random = seededRandom(seed)
  const recalls = Float64Array.from({ length: draws }, () => {
    let hits = 0
    let all = 0
    for (const _ of clusters) {
      const cluster = clusters[Math.floor(random() * clusters.length)] ?? []
      all += cluster.length
      hits += cluster.filter((hit) => hit).length
    }
    return hits / all
  }).sort()
  return { low: recalls[Math.floor(draws * 0.05)] ?? 0, high: recalls[Math.floor(draws * 0.95)] ?? 0 }
}

/** Hits of each cluster over several traces, families apart. */
export const hitsOf = (
  traces: ReadonlyArray<Trace>,
  leadsOf: (trace: Trace) => ReadonlyArray<number | null>,
  familyOf: (trace: Trace) => string,
): ReadonlyArray<ReadonlyArray<boolean>> => {
  const families = new Map<string, { atMs: number; hit: boolean }[]>()
  for (const trace of traces) {
    const leads = leadsOf(trace)
    const list = families.get(familyOf(trace)) ?? []
    trace.incidents.forEach(({ onset }, index) => {
      list.push({ atMs: onset * trace.rules.stepMs, hit: (leads[index] ?? null) !== null })
    })
    families.set(familyOf(trace), list)
  }
  return [...families.values()].flatMap(clustersOf)
}
