import type { HealthSample, PathQuality } from '../events/catalogue/health.js'

/** Samples that are remembered of a server. */
export const windowSamplesMax = 60
const retiredBootsMax = 8

/** What the model keeps of one sample. Null: not measured. */
export interface WindowEntry {
  readonly seq: number
  readonly takenAt: number
  readonly intervalMs: number
  readonly cpuCores: number | null
  readonly residentBytes: number | null
  readonly memoryLimitBytes: number | null
  readonly eventLoopDelayMs: number | null
  readonly speed: number | null
  readonly latenessMs: number | null
  readonly hostCpuRatio: number | null
  readonly hostMemoryRatio: number | null
  readonly diskLatencyMs: number | null
  readonly rttMs: number | null
  readonly lossRatio: number | null
  readonly jitterMs: number | null
  readonly streams: number
  readonly viewers: number
}

/** The newest samples of one boot of a server, by rising seq: plain data that JSON carries without loss. */
export interface FeatureWindow {
  readonly bootId: string | null
  /** Boots that are over; what arrives of them late is ignored. */
  readonly retiredBoots: ReadonlyArray<string>
  readonly entries: ReadonlyArray<WindowEntry>
}

export const emptyWindow: FeatureWindow = { bootId: null, retiredBoots: [], entries: [] }

const finite = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null)

const entryOf = (sample: HealthSample, path: PathQuality): WindowEntry => ({
  seq: sample.seq,
  takenAt: sample.takenAt,
  intervalMs: sample.intervalMs > 0 ? sample.intervalMs : 1_000,
  cpuCores: finite(sample.process.cpuCores),
  residentBytes: finite(sample.process.residentBytes),
  memoryLimitBytes: finite(sample.process.memoryLimitBytes),
  eventLoopDelayMs: finite(sample.process.eventLoopDelayMs),
  speed: finite(sample.encoder.speed),
  latenessMs: finite(sample.encoder.latenessMs),
  hostCpuRatio: finite(sample.host.cpuRatio),
  hostMemoryRatio: finite(sample.host.memoryRatio),
  diskLatencyMs: finite(sample.host.diskLatencyMs),
  rttMs: finite(path.rttMs),
  lossRatio: finite(path.lossRatio),
  jitterMs: finite(path.jitterMs),
  streams: sample.streams,
  viewers: sample.viewers,
})

/** No sampler takes samples faster, or more slowly. */
const intervalMsMin = 1
const intervalMsMax = 1e12

/**
 * A sample whose interval is one that can be reckoned with: far shorter ones are lost beside a Unix time, far longer ones
 * overflow. The same object where there is nothing to mend.
 */
export const plausible = (sample: HealthSample): HealthSample => {
  const intervalMs = Math.min(intervalMsMax, Math.max(intervalMsMin, sample.intervalMs))
  return sample.intervalMs > 0 && intervalMs !== sample.intervalMs ? { ...sample, intervalMs } : sample
}

/**
 * Takes a sample into the window. Samples may come late and in any order: the window of a set of samples does not
 * depend on the order of their arrival. A duplicate, a sample older than a full window and a sample of an earlier boot
 * change nothing; a new boot begins an empty window.
 */
export const observe = (window: FeatureWindow, sample: HealthSample, path: PathQuality): FeatureWindow => {
  if (window.retiredBoots.includes(sample.bootId)) return window
  if (window.bootId !== sample.bootId) {
    const retired = window.bootId === null ? [] : [...window.retiredBoots, window.bootId].slice(-retiredBootsMax)
    return { bootId: sample.bootId, retiredBoots: retired, entries: [entryOf(sample, path)] }
  }
  const { entries } = window
  const newest = entries.at(-1)
  if (newest === undefined || newest.seq < sample.seq) {
    const kept =
      entries.length < windowSamplesMax ? entries.slice() : entries.slice(entries.length - windowSamplesMax + 1)
    kept.push(entryOf(sample, path))
    return { ...window, entries: kept }
  }
  const after = entries.findLastIndex((entry) => entry.seq <= sample.seq)
  if (entries[after]?.seq === sample.seq) return window
  if (after === -1 && entries.length >= windowSamplesMax) return window
  const inserted = [...entries.slice(0, after + 1), entryOf(sample, path), ...entries.slice(after + 1)]
  const { bootId, retiredBoots } = window
  return { bootId, retiredBoots, entries: inserted.slice(-windowSamplesMax) }
}

/**
 * Time between two neighbours in a window, in milliseconds. Steps of the server's clock do not show: neighbours are apart
 * by the measured interval, and the clock is only asked across a gap.
 */
export const stepMs = (entry: WindowEntry, before: WindowEntry): number => {
  const missing = entry.seq - before.seq
  const byIntervals = entry.intervalMs * missing
  const byClock = entry.takenAt - before.takenAt
  const clockIsCredible = byClock > byIntervals / 2 && byClock < byIntervals * 2
  return missing > 1 && clockIsCredible ? byClock : byIntervals
}

/** When each sample was taken, in milliseconds before the newest one (so the last is 0, the others negative). */
export const timesOf = (entries: ReadonlyArray<WindowEntry>): ReadonlyArray<number> => {
  const times: number[] = []
  let at = 0
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    times.push(at)
    const entry = entries[index]
    const before = entries[index - 1]
    if (entry !== undefined && before !== undefined) at -= stepMs(entry, before)
  }
  return times.reverse()
}
