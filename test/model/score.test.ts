import fc from 'fast-check'
import { assess, bandOf, emptyWindow, groupNames, handWeights, observe, scoreOf } from '../../src/model/index.js'
import { spreadWeights } from '../../src/model/score.js'
import type { GroupHealth } from '../../src/model/index.js'
import { noPath, policy, sampleOf, follow, lowestScore, ramp } from './support.js'

const health = (value: number | null): fc.Arbitrary<number | null> =>
  fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: value })
const anyHealth: fc.Arbitrary<GroupHealth> = fc.record({
  cpu: health(null),
  memory: health(null),
  eventLoop: health(null),
  encoder: health(null),
  latency: health(null),
  loss: health(null),
  jitter: health(null),
  disk: health(null),
  forecast: health(null),
  clients: health(null),
  history: health(null),
})
const anyWeights = fc.dictionary(fc.constantFrom(...groupNames, 'unknown'), fc.double())
const all = (value: number | null): GroupHealth =>
  Object.fromEntries(groupNames.map((name) => [name, value])) as GroupHealth

describe('stability score', () => {
  it('has weights that sum to 1', () => {
    expect(Object.values(handWeights).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12)
  })

  it('is 100 when all is well, 0 when nothing is, and 100 when nothing is known', () => {
    expect(scoreOf(all(1), handWeights)).toEqual({ score: 100, factors: [] })
    expect(scoreOf(all(0), handWeights).score).toBe(0)
    expect(scoreOf(all(null), handWeights).score).toBe(100)
  })

  it('stays within 0..100 with any health and any weights', () => {
    fc.assert(
      fc.property(anyHealth, anyWeights, (someHealth, weights) => {
        const { score, factors } = scoreOf(someHealth, weights)
        expect(score).toBeGreaterThanOrEqual(0)
        expect(score).toBeLessThanOrEqual(100)
        expect(factors.length).toBeLessThanOrEqual(3)
        for (const factor of factors) expect(factor.contribution).toBeGreaterThan(0)
      }),
    )
  })

  it('spreads the weight of what was not measured over the rest', () => {
    fc.assert(
      fc.property(anyHealth, (someHealth) => {
        const spread = spreadWeights(someHealth, handWeights)
        fc.pre(spread.length > 0)
        expect(spread.reduce((sum, [, weight]) => sum + weight, 0)).toBeCloseTo(1, 9)
        for (const [name] of spread) expect(someHealth[name]).not.toBeNull()
      }),
    )
    expect(scoreOf({ ...all(null), cpu: 0.4 }, handWeights).score).toBe(40)
  })

  it('names the groups that took off most', () => {
    const { score, factors } = scoreOf({ ...all(1), memory: 0.5, forecast: 0.1, cpu: 0.9, disk: 0.9 }, handWeights)
    expect(factors).toEqual([
      { name: 'forecast', contribution: 36, health: 0.1 },
      { name: 'memory', contribution: 6, health: 0.5 },
      { name: 'cpu', contribution: 1.2, health: 0.9 },
    ])
    expect(score).toBe(56.5)
  })

  it('is stable from 15 points above the threshold, and unstable below it', () => {
    expect([75, 74.9, 60, 59.9].map((score) => bandOf(score, 60))).toEqual(['stable', 'watch', 'watch', 'unstable'])
  })
})

describe('assessment', () => {
  const anySample = fc.record({
    cpuCores: fc.double({ min: 0, max: 64, noNaN: true }),
    residentBytes: fc.double({ min: 0, max: 1e12, noNaN: true }),
    memoryLimitBytes: fc.option(fc.double({ min: 0, max: 1e12, noNaN: true })),
    eventLoopDelayMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    speed: fc.option(fc.double({ min: 0, max: 100, noNaN: true })),
    latenessMs: fc.option(fc.double({ min: -1e6, max: 1e9, noNaN: true })),
    diskLatencyMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
    hostCpuRatio: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    intervalMs: fc.integer({ min: 200, max: 60_000 }),
  })
  const ratio = fc.option(fc.double({ min: 0, max: 1, noNaN: true }))
  const anyPath = fc.record({ rttMs: ratio, lossRatio: ratio, jitterMs: ratio })

  it('gives finite, rounded numbers for any sequence of samples', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anySample, anyPath), { maxLength: 70 }), (series) => {
        let window = emptyWindow
        series.forEach(([shape, path], seq) => {
          window = observe(window, sampleOf({ ...shape, seq }), path)
        })
        const { score, risk, timeToLimitMs } = assess(window, handWeights, policy)
        expect(score * 10).toBeCloseTo(Math.round(score * 10), 6)
        expect(score).toBeGreaterThanOrEqual(0)
        expect(score).toBeLessThanOrEqual(100)
        expect(risk).toBeGreaterThanOrEqual(0)
        expect(risk).toBeLessThanOrEqual(1)
        expect(timeToLimitMs === null || Number.isSafeInteger(timeToLimitMs)).toBe(true)
      }),
      { numRuns: 80 },
    )
  })

  it('does not depend on the order in which late samples arrived', () => {
    const leak = ramp(20, (second) => ({ residentBytes: 80e6 + Math.max(0, second - 8) * 15e6 }))
    const late = [...leak.slice(0, 9), ...leak.slice(14), ...leak.slice(9, 14).reverse()]
    expect(follow(late).at(-1)?.assessment).toEqual(follow(leak).at(-1)?.assessment)
  })

  it('judges a server without any path information by the rest', () => {
    const steps = follow(
      ramp(20, () => ({})),
      () => noPath,
    )
    expect(lowestScore(steps)).toBe(100)
  })

  it('does not blame a server for a busy machine', () => {
    const steps = follow(ramp(30, () => ({ hostCpuRatio: 1, hostMemoryRatio: 0.97, diskLatencyMs: 700 })))
    expect(lowestScore(steps)).toBeGreaterThan(70)
  })

  it('counts a main thread that stays saturated as already at its limit', () => {
    const saturated = follow(ramp(40, () => ({ cpuCores: 0.99, eventLoopDelayMs: 280 }))).at(-1)?.assessment
    expect(saturated).toMatchObject({ band: 'unstable', timeToLimitMs: 0 })
  })
})
