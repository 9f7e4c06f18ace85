import fc from 'fast-check'
import type { HealthSample, PathQuality } from '../../src/events/catalogue/health.js'
import { emptyWindow, observe, type FeatureWindow } from '../../src/model/index.js'
import { column, Columns, columnsOf, type Column } from '../../src/model/columns.js'
import { featuresOf } from '../../src/model/features.js'
import { timesOf, type WindowEntry } from '../../src/model/window.js'
import { sampleOf } from './support.js'

const maybe = (max: number): fc.Arbitrary<number | null> =>
  fc.option(fc.oneof(fc.constantFrom(0, max), fc.double({ min: 0, max, noNaN: true })), { freq: 5 })

/** One report of a server: mostly the next sample, sometimes a late one, one after a gap, or the first of a new boot. */
const report = fc.record({
  step: fc.oneof({ weight: 12, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: -5, max: 4 }) }),
  restart: fc.oneof({ weight: 80, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  intervalMs: fc.constantFrom(1_000, 1_000, 999.7, 1_003.1, 200),
  cpuCores: fc.double({ min: 0, max: 1.2, noNaN: true }),
  residentBytes: fc.double({ min: 1e6, max: 4e8, noNaN: true }),
  memoryLimitBytes: fc.constantFrom(4e8, 4e8, null, 0),
  latenessMs: maybe(400),
  diskLatencyMs: maybe(600),
  rttMs: maybe(50),
  lossRatio: maybe(0.1),
})

interface Reported {
  readonly sample: HealthSample
  readonly path: PathQuality
}

const life = fc.array(report, { minLength: 1, maxLength: 140, size: 'max' }).map((reports) => {
  let [seq, boot] = [0, 1]
  return reports.map(({ step, restart, rttMs, lossRatio, ...shape }): Reported => {
    boot += restart ? 1 : 0
    seq = restart ? 0 : Math.max(0, seq + step)
    const sample = sampleOf({ ...shape, seq, bootId: `boot-${boot}` })
    return { sample, path: { rttMs, lossRatio, jitterMs: null } }
  })
})

const valueOf: Readonly<Partial<Record<Column, (entry: WindowEntry) => number | null>>> = {
  [column.memory]: ({ residentBytes, memoryLimitBytes }) =>
    residentBytes === null || memoryLimitBytes === null || memoryLimitBytes <= 0
      ? null
      : residentBytes / memoryLimitBytes,
  [column.cpu]: ({ cpuCores }) => cpuCores,
  [column.lateness]: ({ latenessMs }) => latenessMs,
  [column.disk]: ({ diskLatencyMs }) => diskLatencyMs,
  [column.loss]: ({ lossRatio }) => lossRatio,
  [column.rtt]: ({ rttMs }) => rttMs,
}
const looked = Object.keys(valueOf).map(Number) as Column[]

const measured = (entries: ReadonlyArray<WindowEntry>, of: Column): number[] =>
  entries.map((entry) => valueOf[of]?.(entry) ?? null).filter((value) => value !== null)

const rising = (values: ReadonlyArray<number>): number[] => [...values].sort((a, b) => a - b)

/** What columns say, by the definition of each figure. */
function byDefinition({ entries }: FeatureWindow, of: Column): unknown {
  const times = timesOf(entries)
  const values = measured(entries, of)
  const recent = Math.min(entries.length, Math.max(3, times.filter((at) => at > -5_000).length))
  const sorted = rising(measured(entries.slice(-recent), of))
  const middle = ((sorted[sorted.length >> 1] ?? 0) + (sorted[(sorted.length - 1) >> 1] ?? 0)) / 2
  const late = rising(measured(entries, column.lateness))
  return {
    count: values.length,
    low: Math.min(...values),
    high: Math.max(...values),
    recent,
    median: sorted.length === 0 ? null : middle,
    lowLateness: late[Math.floor(late.length / 4)] ?? null,
    series: { times: times.filter((_, index) => measured(entries.slice(index, index + 1), of).length > 0), values },
  }
}

function said(columns: Columns, of: Column): unknown {
  const { count, low, high } = columns.range(of)
  const { recentCount: recent, lowLatenessMs: lowLateness } = columns
  return { count, low, high, recent, median: columns.recentMedian(of), lowLateness, series: columns.series(of) }
}

/** Compared as text, which is much quicker. */
const text = (value: unknown): string => JSON.stringify(value)

describe('columns of a window', () => {
  it('say the same whether they followed the server or are made of the window, and what the definitions say', () => {
    fc.assert(
      fc.property(life, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (reports, dice) => {
        let window = emptyWindow
        for (const { sample, path } of reports) {
          window = observe(window, sample, path)
          // Not every sample is assessed, and ranges are not asked for each time.
          if (dice.next().value > 0.3) continue
          const followed = columnsOf(window)
          expect(text(looked.map((of) => said(followed, of)))).toBe(text(looked.map((of) => byDefinition(window, of))))
        }
        const again = new Columns(window)
        expect(text(looked.map((of) => said(columnsOf(window), of)))).toBe(text(looked.map((of) => said(again, of))))
      }),
      { numRuns: 12, seed: 3 },
    )
  })

  it('give the same features of a window after others of its boot were asked for', () => {
    fc.assert(
      fc.property(life, (reports) => {
        const windows: FeatureWindow[] = []
        for (const { sample, path } of reports) windows.push(observe(windows.at(-1) ?? emptyWindow, sample, path))
        const inOrder = windows.map((window) => featuresOf(window, 20_000))
        const backwards = windows.toReversed().map((window) => featuresOf(structuredClone(window), 20_000))
        expect(text(backwards.reverse())).toBe(text(inOrder))
      }),
      { numRuns: 10, seed: 4 },
    )
  })
})
