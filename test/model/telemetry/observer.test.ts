import fc from 'fast-check'
import {
  commonNames,
  copyObserver,
  emptyFleet,
  featureNamesFor,
  horizonMsFor,
  metricsNamed,
  newObserver,
  observe,
  serverMetrics,
  writeVector,
  type Metric,
  type Observer,
} from '../../../src/model/telemetry/index.js'

interface Sample {
  readonly at: number
  readonly values: ReadonlyArray<number>
}

const horizonMs = 300_000
const gauge = (name: string): Metric => ({ name, kind: 'gauge', limit: null })

const vectorAfter = (observer: Observer, samples: ReadonlyArray<Sample>): ReadonlyArray<number> => {
  const names = featureNamesFor(observer.metrics, observer.perMetric)
  const vector = new Float64Array(names.length)
  for (const { at, values } of samples) {
    const report = observe(observer, at, values)
    if (report !== null) writeVector(observer, report, emptyFleet, vector)
  }
  return [...vector]
}

/** The features after each sample, as they stand when all have been seen. */
const vectorsAlong = (observer: Observer, samples: ReadonlyArray<Sample>): ReadonlyArray<Float64Array> => {
  const names = featureNamesFor(observer.metrics, observer.perMetric)
  return samples.map(({ at, values }) => {
    const vector = new Float64Array(names.length)
    const report = observe(observer, at, values)
    if (report !== null) writeVector(observer, report, emptyFleet, vector)
    return vector
  })
}

const feature = (metrics: ReadonlyArray<Metric>, samples: ReadonlyArray<Sample>, name: string): number => {
  const vector = vectorAfter(newObserver(metrics, horizonMs, true), samples)
  return vector[featureNamesFor(metrics, true).indexOf(name)] ?? Number.NaN
}

const steady = (rows: number, valueAt: (row: number) => number, stepMs = 5_000): ReadonlyArray<Sample> =>
  Array.from({ length: rows }, (_, row) => ({ at: row * stepMs, values: [valueAt(row)] }))

const wave = (row: number): number => 10 + Math.sin(row * 1.7) + 0.5 * Math.sin(row * 0.31)

const anyValue = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, 1e300) },
)
const anySamples = fc.array(
  fc.record({ gap: fc.integer({ min: 0, max: 400_000 }), values: fc.tuple(anyValue, anyValue, anyValue) }),
  { minLength: 1, maxLength: 60 },
)
const timed = (drawn: ReadonlyArray<{ readonly gap: number; readonly values: ReadonlyArray<number> }>) => {
  let at = 0
  return drawn.map(({ gap, values }): Sample => ({ at: (at += gap), values }))
}
const three = metricsNamed(['cpu', 'x', 'y'])

describe('telemetry features', () => {
  it('are the same whether a series comes at once or is taken up again from a copy after any sample', () => {
    fc.assert(
      fc.property(anySamples, fc.nat(), (drawn, cut) => {
        const samples = timed(drawn.map((each) => ({ ...each, gap: each.gap + 1 })))
        const at = cut % samples.length
        const first = newObserver(three, horizonMs, true)
        vectorAfter(first, samples.slice(0, at))
        const resumed = copyObserver(first)
        // What the original sees afterwards must not reach the copy.
        vectorAfter(first, [{ at: 1e9, values: [1e6, -1e6, 3] }])
        expect(vectorAfter(resumed, samples.slice(at))).toEqual(
          vectorAfter(newObserver(three, horizonMs, true), samples),
        )
      }),
    )
  })

  it('depend on nothing that comes later', () => {
    fc.assert(
      fc.property(anySamples, anySamples, (drawn, more) => {
        const samples = timed(drawn)
        const later = timed(more).map(({ at, values }) => ({ at: at + 1e9, values }))
        const observer = newObserver(three, horizonMs, true)
        const along = vectorsAlong(observer, [...samples, ...later])
        const alone = vectorsAlong(newObserver(three, horizonMs, true), samples)
        expect(along.slice(0, samples.length)).toEqual(alone)
      }),
    )
  })

  it('stay finite with any values, and ignore samples that are late or come twice', () => {
    fc.assert(
      fc.property(anySamples, (drawn) => {
        const samples = timed(drawn)
        const observer = newObserver(three, horizonMs, false)
        const once = vectorAfter(observer, samples)
        expect(once.every((value) => Number.isFinite(value))).toBe(true)
        const last = samples.at(-1)
        expect(observe(observer, last?.at ?? 0, [9, 9, 9])).toBeNull()
        expect(observe(observer, -1, [9, 9, 9])).toBeNull()
      }),
    )
  })

  it('do not depend on the unit of a metric', () => {
    const plain = steady(400, wave)
    const scaled = plain.map(({ at, values }) => ({ at, values: values.map((value) => value * 1_024) }))
    const vector = vectorAfter(newObserver([gauge('x')], horizonMs, true), plain)
    const other = vectorAfter(newObserver([gauge('x')], horizonMs, true), scaled)
    vector.forEach((value, index) => expect(other[index]).toBeCloseTo(value, 6))
  })

  it('see a step as a large level, a short trend, and a rising ratio', () => {
    const metrics = [gauge('x')]
    const calm = steady(600, wave)
    const jump = [...calm, ...steady(620, () => 40).slice(600)]
    expect(Math.abs(feature(metrics, calm, 'x.level'))).toBeLessThan(3)
    expect(feature(metrics, jump, 'x.level')).toBe(12)
    expect(feature(metrics, jump, 'x.shortTrend')).toBeGreaterThan(5)
    expect(feature(metrics, jump, 'x.ratio')).toBeGreaterThan(0.8)
  })

  it('measure how near a limit is when a ramp goes on', () => {
    const metrics = metricsNamed(['memory'])
    const ramp = (perRow: number) => steady(500, (row) => (row < 400 ? 0.4 : 0.4 + perRow * (row - 400)))
    const slow = feature(metrics, ramp(0.001), 'memory.toLimit')
    const quick = feature(metrics, ramp(0.004), 'memory.toLimit')
    expect(feature(metrics, ramp(0), 'memory.toLimit')).toBeLessThan(0.01)
    // Half of the way is left, 500 rows: 8.3 horizons.
    expect(slow).toBeGreaterThan(0.07)
    expect(slow).toBeLessThan(0.13)
    expect(quick).toBeGreaterThan(slow)
    expect(feature(metrics, ramp(0.01), 'memory.toLimit')).toBe(1)
  })

  it('take a counter as its rate, and begin again where it was reset', () => {
    const counter: ReadonlyArray<Metric> = [{ name: 'errors', kind: 'counter', limit: null }]
    const rising = steady(400, (row) => row * 50)
    const reset = steady(400, (row) => (row % 100) * 50)
    expect(Math.abs(feature(counter, rising, 'errors.level'))).toBeLessThan(0.1)
    expect(feature(counter, reset, 'errors.level')).toBeCloseTo(feature(counter, rising, 'errors.level'), 1)
  })

  it('follow an outage, but do not learn it as normal', () => {
    const metrics = ['a', 'b', 'c'].map(gauge)
    const normal = (row: number) => ({ at: row * 5_000, values: [wave(row), wave(row + 7), wave(row + 13)] })
    const life = Array.from({ length: 2_000 }, (_, row) =>
      row >= 1_000 && row < 1_100 ? { at: row * 5_000, values: [1_000, 1_000, 1_000] } : normal(row),
    )
    const during = feature(metrics, life.slice(0, 1_050), 'a.level')
    const after = feature(metrics, life, 'a.longTrend')
    expect(during).toBe(12)
    expect(Math.abs(after)).toBeLessThan(2)
  })

  it.each([200, 1_000, 5_000, 60_000, 300_000])('work at a sampling interval of %i ms', (stepMs) => {
    const calm = steady(2_000, wave, stepMs)
    const observer = newObserver([gauge('x')], horizonMsFor(stepMs), false)
    const vector = vectorAfter(observer, calm)
    expect(vector[commonNames.indexOf('deviation.max')]).toBeLessThan(4)
    observe(observer, 2_000 * stepMs, [60])
    expect(observer.scratch.common[commonNames.indexOf('level.max')]).toBe(12)
  })

  it('name every metric of a media server', () => {
    expect(featureNamesFor(serverMetrics, true)).toContain('diskLatencyMs.ratio')
    expect(new Set(featureNamesFor(serverMetrics, true)).size).toBe(featureNamesFor(serverMetrics, true).length)
  })
})
