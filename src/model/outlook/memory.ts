import type { WindowEntry } from '../window.js'
import { horizonMsAsMeasured, horizonMsFor } from '../telemetry/horizon.js'
import type { History } from '../telemetry/history.js'
import { serverMetrics } from '../telemetry/metrics.js'
import { newObserver, observe, writeVector, type Observer } from '../telemetry/observer.js'
import { emptyFleet } from '../telemetry/fleet.js'
import { serverFeatures } from './shelf.js'

/** What is remembered of a server's telemetry between two samples: plain numbers that JSON carries without loss. */
export interface TelemetryMemory {
  readonly horizonMs: number
  /** Of the first and the newest sample, by the intervals between samples: steps of the server's clock do not show. */
  readonly firstAt: number
  readonly at: number
  readonly takenAt: number
  readonly seq: number
  readonly samples: number
  readonly numbers: ReadonlyArray<number>
}

/** JSON has no NaN: this number, which no metric reaches, stands for it. */
const unknown = -Number.MAX_VALUE

// One observer for each horizon, filled from the memory that it is asked about and read out again: what is left in it
// from before is overwritten, so the answers depend on the arguments alone.
const observers = new Map<number, Observer>()

const observerFor = (horizonMs: number): Observer => {
  const known = observers.get(horizonMs)
  if (known !== undefined) return known
  const fresh = newObserver(serverMetrics, horizonMs, true)
  observers.set(horizonMs, fresh)
  return fresh
}

function fill({ tracker, restlessness }: Observer, memory: TelemetryMemory | null): void {
  const parts = [tracker.state, restlessness.state]
  let next = 0
  for (const state of parts) {
    for (let slot = 0; slot < state.length; slot += 1, next += 1) {
      const number = memory === null ? unknown : (memory.numbers[next] ?? unknown)
      state[slot] = number === unknown ? Number.NaN : number
    }
  }
  for (const { clock } of [tracker, restlessness]) {
    clock.at = memory === null ? -Infinity : memory.at
    clock.samples = memory === null ? 0 : memory.samples
  }
}

function readOut({ tracker, restlessness }: Observer): ReadonlyArray<number> {
  const numbers: number[] = []
  for (const state of [tracker.state, restlessness.state]) {
    // Nor has it a negative zero: adding 0 makes it 0.
    for (const number of state) numbers.push(Number.isNaN(number) ? unknown : number + 0)
  }
  return numbers
}

/** The readings of a sample in the order of `serverMetrics`; NaN: not measured. */
function readingsOf(entry: WindowEntry): ReadonlyArray<number> {
  const { cpuCores, residentBytes, memoryLimitBytes, hostMemoryRatio, rttMs, lossRatio, jitterMs, diskLatencyMs } =
    entry
  const memory =
    residentBytes !== null && memoryLimitBytes !== null && memoryLimitBytes > 0
      ? residentBytes / memoryLimitBytes
      : (hostMemoryRatio ?? Number.NaN)
  return [
    cpuCores ?? Number.NaN,
    memory,
    rttMs ?? Number.NaN,
    lossRatio === null ? Number.NaN : 100 * lossRatio,
    jitterMs ?? Number.NaN,
    diskLatencyMs ?? Number.NaN,
  ]
}

/** No metric of a server is further from 0; what is, and what overflowed, would not be finite for long. */
const readingMax = 1e12

const boundedReadingsOf = (entry: WindowEntry): ReadonlyArray<number> =>
  readingsOf(entry).map((reading) => Math.min(readingMax, Math.max(-readingMax, reading)))

/** The time of a sample on the memory's own clock. */
function timeOf(memory: TelemetryMemory | null, { takenAt, seq, intervalMs }: WindowEntry): number {
  if (memory === null) return takenAt
  const missing = Math.max(1, seq - memory.seq)
  const byIntervals = intervalMs * missing
  const byClock = takenAt - memory.takenAt
  const clockIsCredible = byClock > byIntervals / 2 && byClock < byIntervals * 2
  return memory.at + (missing > 1 && clockIsCredible ? byClock : byIntervals)
}

export interface Followed {
  readonly memory: TelemetryMemory
  /**
   * Features in the order of `serverFeatures`, valid until the next call; null: by the memory's clock the sample is not
   * newer than the one before, so that nothing can be learned from it.
   */
  readonly vector: Float64Array | null
}

const vector = new Float64Array(serverFeatures.length)

type Follow = (memory: TelemetryMemory | null, entry: WindowEntry, history: History) => Followed

/** Takes the newest sample into the memory. Its seq must be above that of the sample before. */
export const follow: Follow = (memory, entry, history) =>
  following(memory?.horizonMs ?? horizonMsFor(entry.intervalMs), boundedReadingsOf(entry), memory, entry, history)

/** `follow` for version 2 of the rules. */
export const followV2: Follow = (memory, entry, history) =>
  following(memory?.horizonMs ?? horizonMsAsMeasured(entry.intervalMs), readingsOf(entry), memory, entry, history)

function following(
  horizonMs: number,
  readings: ReadonlyArray<number>,
  ...[memory, entry, history]: Parameters<Follow>
): Followed {
  const observer = observerFor(horizonMs)
  fill(observer, memory)
  const at = timeOf(memory, entry)
  const report = observe(observer, at, readings, history)
  if (report !== null) writeVector(observer, report, emptyFleet, vector)
  const next: TelemetryMemory = {
    horizonMs,
    firstAt: memory?.firstAt ?? at,
    at,
    takenAt: entry.takenAt,
    seq: entry.seq,
    samples: (memory?.samples ?? 0) + 1,
    numbers: readOut(observer),
  }
  return { memory: next, vector: report === null ? null : vector }
}
