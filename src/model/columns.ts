import { canRise, leverageOf, possibleRises, type Series } from './trend.js'
import { stepMs, timesOf, windowSamplesMax, type FeatureWindow, type WindowEntry } from './window.js'

/** What is looked at of every sample: one column of numbers each. */
export const column = {
  memory: 0,
  cpu: 1,
  eventLoop: 2,
  lateness: 3,
  loss: 4,
  disk: 5,
  hostCpu: 6,
  hostMemory: 7,
  speed: 8,
  rtt: 9,
  jitter: 10,
  /** Time since the sample before; not known of the first one of a window. */
  step: 11,
} as const
export type Column = (typeof column)[keyof typeof column]
const columnCount = 12

/** Share of the process's memory limit in use; null without a limit. */
const memoryUseOf = ({ residentBytes, memoryLimitBytes }: WindowEntry): number | null =>
  residentBytes === null || memoryLimitBytes === null || memoryLimitBytes <= 0
    ? null
    : finiteOf(residentBytes / memoryLimitBytes)

/** A quotient of two numbers may overflow, and two infinities of either sign have no middle. */
const finiteOf = (quotient: number): number => Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, quotient))

/** Not measured. */
const unknown = Number.NaN

// The columns lie one behind the other. Each has room for twice a window, so that they are moved once in a whole window.
const room = 2 * windowSamplesMax

/** The newest samples count as recent: those of the last five seconds, but at least three. */
const recentMs = 5_000
const recentSamplesMin = 3

/** Lowest and highest value of a column, and how many values were measured. */
export interface Range {
  readonly count: number
  readonly low: number
  readonly high: number
}

/** With how many values are the lowest, and the highest: as long as one is left, the range need not be looked for again. */
interface Bounds extends Range {
  count: number
  low: number
  lows: number
  high: number
  highs: number
}

function widen(bounds: Bounds, value: number): void {
  bounds.count += 1
  if (value === bounds.low) bounds.lows += 1
  else if (value < bounds.low) [bounds.low, bounds.lows] = [value, 1]
  if (value === bounds.high) bounds.highs += 1
  else if (value > bounds.high) [bounds.high, bounds.highs] = [value, 1]
}

/** False when the range without the value is not known. */
function narrow(bounds: Bounds, value: number): boolean {
  bounds.count -= 1
  if (value === bounds.low) bounds.lows -= 1
  if (value === bounds.high) bounds.highs -= 1
  return bounds.lows > 0 && bounds.highs > 0
}

/**
 * The samples of a window as columns of numbers, brought up to date sample by sample: what an assessment needs of them
 * takes a few steps then, instead of a walk over the whole window for every metric.
 */
export class Columns {
  #window: FeatureWindow
  readonly #cells = new Float64Array(columnCount * room)
  readonly #bounds: (Bounds | null)[] = new Array<null>(columnCount).fill(null)
  /** Lateness in rising order, without what was not measured. */
  readonly #late = new Float64Array(windowSamplesMax + 1)
  #lateCount = 0
  #start = 0
  #count = 0
  #recentCount = 0

  constructor(window: FeatureWindow) {
    this.#window = window
    const { entries } = window
    for (const [index, entry] of entries.entries()) this.#add(entry, entries[index - 1])
  }

  get window(): FeatureWindow {
    return this.#window
  }

  get count(): number {
    return this.#count
  }

  /** Goes on to the window that holds one sample more, its newest. */
  advance(window: FeatureWindow): void {
    this.#window = window
    const newest = window.entries.at(-1)
    if (newest !== undefined) this.#add(newest, window.entries.at(-2))
  }

  #add(entry: WindowEntry, before: WindowEntry | undefined): void {
    if (this.#count === windowSamplesMax) this.#drop()
    const at = this.#start + this.#count
    this.#count += 1
    this.#put(column.memory, at, memoryUseOf(entry))
    this.#put(column.cpu, at, entry.cpuCores)
    this.#put(column.eventLoop, at, entry.eventLoopDelayMs)
    this.#put(column.lateness, at, entry.latenessMs)
    this.#put(column.loss, at, entry.lossRatio)
    this.#put(column.disk, at, entry.diskLatencyMs)
    this.#put(column.hostCpu, at, entry.hostCpuRatio)
    this.#put(column.hostMemory, at, entry.hostMemoryRatio)
    this.#put(column.speed, at, entry.speed)
    this.#put(column.rtt, at, entry.rttMs)
    this.#put(column.jitter, at, entry.jitterMs)
    if (entry.latenessMs !== null) this.#lateCount = insertInto(this.#late, this.#lateCount, entry.latenessMs)
    this.#put(column.step, at, before === undefined ? null : stepMs(entry, before))
    this.#recentCount = 0
  }

  #put(of: Column, at: number, value: number | null): void {
    this.#cells[of * room + at] = value ?? unknown
    const bounds = this.#bounds[of]
    if (value !== null && bounds) widen(bounds, value)
  }

  #drop(): void {
    const late = this.#cells[column.lateness * room + this.#start] ?? unknown
    if (!Number.isNaN(late)) {
      const at = this.#late.indexOf(late)
      this.#late.copyWithin(at, at + 1, this.#lateCount)
      this.#lateCount -= 1
    }
    for (let of = 0; of < columnCount; of += 1) {
      const bounds = this.#bounds[of]
      const value = this.#cells[of * room + this.#start] ?? unknown
      if (bounds && !Number.isNaN(value) && !narrow(bounds, value)) this.#bounds[of] = null
    }
    this.#start += 1
    this.#count -= 1
    if (this.#start + this.#count < room) return
    for (let offset = 0; offset < columnCount * room; offset += room) {
      this.#cells.copyWithin(offset, offset + this.#start, offset + this.#start + this.#count)
    }
    this.#start = 0
  }

  /** Whether there may be a rise of this size in a column of which every value was measured. */
  mayRise(of: Column, riseMin: number): boolean {
    if (!canRise(this.range(of), leverageOf(this.#count, this.range(column.step)), riseMin)) return false
    const from = (which: Column): number => which * room + this.#start
    const cells = this.#cells
    const steps = {
      values: cells,
      valuesFrom: from(of),
      steps: cells,
      stepsFrom: from(column.step),
      count: this.#count,
    }
    return possibleRises(steps, riseMin, () => true)
  }

  range(of: Column): Range {
    const known = this.#bounds[of]
    if (known) return known
    const bounds: Bounds = { count: 0, low: Infinity, lows: 0, high: -Infinity, highs: 0 }
    const from = of * room + this.#start
    for (let at = from; at < from + this.#count; at += 1) {
      const value = this.#cells[at] ?? unknown
      if (!Number.isNaN(value)) widen(bounds, value)
    }
    if (bounds.count > 0) this.#bounds[of] = bounds
    return bounds
  }

  /** What was measured, and when, oldest first. */
  series(of: Column): Series {
    const allTimes = timesOf(this.#window.entries)
    const times: number[] = []
    const values: number[] = []
    const from = of * room + this.#start
    for (let index = 0; index < this.#count; index += 1) {
      const value = this.#cells[from + index] ?? unknown
      if (Number.isNaN(value)) continue
      times.push(allTimes[index] ?? 0)
      values.push(value)
    }
    return { times, values }
  }

  /** The lateness that a quarter of the samples is below; null when none was measured. */
  get lowLatenessMs(): number | null {
    return this.#lateCount === 0 ? null : (this.#late[Math.floor(this.#lateCount / 4)] ?? null)
  }

  /** Samples that count as recent. */
  get recentCount(): number {
    if (this.#recentCount === 0)
      this.#recentCount = Math.min(this.#count, Math.max(recentSamplesMin, this.#withinRecent()))
    return this.#recentCount
  }

  #withinRecent(): number {
    let ageMs = 0
    let found = 0
    for (
      let at = column.step * room + this.#start + this.#count - 1;
      found < this.#count && ageMs < recentMs;
      at -= 1
    ) {
      found += 1
      ageMs += this.#cells[at] ?? 0
    }
    return found
  }

  /**
   * Middle of a column's recent values, robust against single spikes; null when nothing was measured. `less` is taken off
   * every value before.
   */
  recentMedian(of: Column, less = 0): number | null {
    const end = of * room + this.#start + this.#count
    let found = 0
    for (let at = end - this.recentCount; at < end; at += 1) {
      const value = this.#cells[at] ?? unknown
      if (!Number.isNaN(value)) found = insertInto(sorted, found, value)
    }
    if (found === 0) return null
    return ((sorted[found >> 1] ?? 0) - less + ((sorted[(found - 1) >> 1] ?? 0) - less)) / 2
  }
}

/** Only for the length of one call. */
const sorted = new Float64Array(windowSamplesMax)

/** Puts a value where it belongs among the first `count` of an array, which are in rising order; the new count. */
function insertInto(values: Float64Array, count: number, value: number): number {
  let at = count
  for (; at > 0; at -= 1) {
    const before = values[at - 1] ?? 0
    if (before <= value) break
    values[at] = before
  }
  values[at] = value
  return count + 1
}

// -------------------------------------------------------------------------------------
// from window to window
// -------------------------------------------------------------------------------------

// Columns follow a server from one sample to the next: those of the newest window of each boot are kept. They are found
// by the window itself, so what they say depends on the window alone, whoever asked before. Some 12 KB each.
const bootsMax = 1_000
const byBoot = new Map<string, Columns>()

/** The columns of a window. Valid until the next call for a window of the same boot. */
export function columnsOf(window: FeatureWindow): Columns {
  const boot = window.bootId ?? ''
  const known = byBoot.get(boot)
  if (known?.window === window) return known
  if (known !== undefined && isNext(known.window, window)) {
    known.advance(window)
    return known
  }
  const fresh = new Columns(window)
  byBoot.delete(boot)
  const [oldest] = byBoot.size >= bootsMax ? byBoot.keys() : []
  if (oldest !== undefined) byBoot.delete(oldest)
  byBoot.set(boot, fresh)
  return fresh
}

/** Whether a window is the other one with one sample more at its end, and the oldest gone if it was full. */
function isNext({ entries: before }: FeatureWindow, { entries: after }: FeatureWindow): boolean {
  const isFull = before.length === windowSamplesMax
  if (before.length === 0 || after.length !== (isFull ? before.length : before.length + 1)) return false
  return after.at(-2) === before.at(-1) && after[0] === before[isFull ? 1 : 0]
}
