import fc from 'fast-check'
import { assess, emptyWindow, handWeights, observe } from '../../src/model/index.js'
import { policy, sampleOf } from './support.js'

/** What a sample may hold by its codec: any finite number. */
const any = fc.oneof(
  fc.constantFrom(0, 1e305, -1e305, 1.7e308, -1.7e308, Number.MIN_VALUE, 1e154, 1e160, 1e-300),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const steep = fc
  .tuple(fc.constantFrom(1e100, 1e150, 1e160, 1e300, 1e305), fc.integer({ min: 5, max: 60 }))
  .map(([step, samples]) => Array.from({ length: samples }, (_, index) => step * index))
const course = fc.oneof(steep, fc.array(any, { minLength: 5, maxLength: 60 }))

describe('absurd values', () => {
  it('never make an assessment that is no number', () => {
    fc.assert(
      fc.property(
        fc.record({ cpu: course, memory: course, limit: any, loop: course, late: course, disk: course, rtt: course }),
        ({ cpu, memory, limit, loop, late, disk, rtt }) => {
          let window = emptyWindow
          for (let seq = 0; seq < 60; seq += 1) {
            const sample = sampleOf({
              ...{ seq, cpuCores: cpu[seq] ?? 0.1, residentBytes: memory[seq] ?? 1e6, memoryLimitBytes: limit },
              ...{ eventLoopDelayMs: loop[seq] ?? 3, latenessMs: late[seq] ?? null, diskLatencyMs: disk[seq] ?? null },
            })
            window = observe(window, sample, { rttMs: rtt[seq] ?? null, lossRatio: loop[seq] ?? 0, jitterMs: null })
            const { score, risk, timeToLimitMs } = assess(window, handWeights, policy)
            expect([score, risk, timeToLimitMs ?? 0].every(Number.isFinite)).toBe(true)
          }
        },
      ),
      { numRuns: 100, seed: 1, endOnFailure: true },
    )
  })
})
