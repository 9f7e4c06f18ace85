import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import {
  assess,
  assessStability,
  circumstances,
  emptyWindow,
  featuresShared,
  follow,
  handWeights,
  isWarm,
  noHistory,
  observe,
  openArtifact,
  outlookOf,
  startWeights,
  type FeatureWindow,
  type TelemetryMemory,
} from '../../src/model/index.js'
import { policy, sampleOf } from './support.js'

const shipped = openArtifact(readFileSync('models/prior.bin'))
if (E.isLeft(shipped)) throw new Error(shipped.left.message)
const { model } = shipped.right

/** What a sample may hold by its codec: any finite number. */
const any = fc.oneof(
  fc.constantFrom(0, 1e305, -1e305, 1.7e308, -1.7e308, Number.MIN_VALUE, 1e154, 1e160, 1e-300),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const steep = fc
  .tuple(fc.constantFrom(1e100, 1e150, 1e160, 1e300, 1e305), fc.integer({ min: 5, max: 60 }))
  .map(([step, samples]) => Array.from({ length: samples }, (_, index) => step * index))
const course = fc.oneof(steep, fc.array(any, { minLength: 5, maxLength: 60 }))

const courses = fc.record({
  ...{ cpu: course, memory: course, limit: any, loop: course, late: course, disk: course, rtt: course, loss: course },
})
type Courses = typeof courses extends fc.Arbitrary<infer C> ? C : never
/** A sample every ten seconds: more than twice the horizon of the model. */
const samples = 60
const intervalMs = 10_000

/** Tells the windows of a server that measured this, sample by sample. */
function* windowsOf({ cpu, memory, limit, loop, late, disk, rtt, loss }: Courses): Generator<FeatureWindow> {
  let window = emptyWindow
  for (let seq = 0; seq < samples; seq += 1) {
    const sample = sampleOf({
      ...{ seq, intervalMs, cpuCores: cpu[seq] ?? 0.1, residentBytes: memory[seq] ?? 1e6, memoryLimitBytes: limit },
      ...{ eventLoopDelayMs: loop[seq] ?? 3, latenessMs: late[seq] ?? null, diskLatencyMs: disk[seq] ?? null },
    })
    window = observe(window, sample, {
      rttMs: rtt[seq] ?? null,
      lossRatio: loss[seq] ?? 0,
      jitterMs: loop[seq] ?? null,
    })
    yield window
  }
}

const allFinite = (...numbers: ReadonlyArray<number>): boolean => numbers.every(Number.isFinite)

describe('absurd values', () => {
  it('never make an assessment by hand that is no number', () => {
    fc.assert(
      fc.property(courses, (measured) => {
        for (const window of windowsOf(measured)) {
          const { score, risk, timeToLimitMs } = assess(window, handWeights, policy)
          expect(allFinite(score, risk, timeToLimitMs ?? 0)).toBe(true)
        }
      }),
      { numRuns: 100, seed: 1, endOnFailure: true },
    )
  })

  it('never make an assessment by the learned model that is no number', () => {
    let judged = 0
    fc.assert(
      fc.property(courses, (measured) => {
        let memory: TelemetryMemory | null = null
        for (const window of windowsOf(measured)) {
          const newest = window.entries.at(-1)
          if (newest === undefined) throw new Error('nothing was observed')
          const followed = follow(memory, newest, noHistory)
          memory = followed.memory
          const { vector } = followed
          const outlook = vector !== null && isWarm(memory) ? outlookOf(model, vector) : null
          if (outlook !== null) {
            judged += 1
            const { risk, calm, blame } = outlook
            expect(risk >= 0 && risk <= 1 && calm >= 0.4 && calm <= 1).toBe(true)
            expect(blame.reduce((sum, [, share]) => sum + share, 0)).toBeCloseTo(calm < 1 ? 1 : 0, 6)
          }
          const { score, risk, timeToLimitMs, factors } = assessStability({
            features: featuresShared(window, policy.horizonMs),
            besides: circumstances({ reports: [], history: noHistory }, newest.viewers, memory.at),
            ...{ weights: startWeights, threshold: policy.threshold, outlook },
          })
          expect(score >= 0 && score <= 100 && risk >= 0 && risk <= 1).toBe(true)
          expect(allFinite(timeToLimitMs ?? 0, ...factors.map(({ contribution }) => contribution))).toBe(true)
        }
      }),
      { numRuns: 40, seed: 1, endOnFailure: true },
    )
    expect(judged).toBeGreaterThan(1_000)
  })
})
