import fc from 'fast-check'
import { emptyWindow, observe, windowSamplesMax, type FeatureWindow } from '../../src/model/index.js'
import { timesOf } from '../../src/model/window.js'
import { goodPath, sampleOf, type SampleShape } from './support.js'

const windowOf = (shapes: ReadonlyArray<SampleShape>): FeatureWindow =>
  shapes.reduce((window, shape) => observe(window, sampleOf(shape), goodPath), emptyWindow)

const seqs = (window: FeatureWindow): ReadonlyArray<number> => window.entries.map(({ seq }) => seq)

describe('window of samples', () => {
  it('is the same whatever the order of arrival, with duplicates or without', () => {
    const permutations = fc
      .uniqueArray(fc.nat(150), { minLength: 1, maxLength: 100 })
      .chain((numbers) =>
        fc.tuple(
          fc.constant(numbers),
          fc.shuffledSubarray(numbers, { minLength: numbers.length }),
          fc.subarray(numbers),
        ),
      )
    fc.assert(
      fc.property(permutations, ([numbers, shuffled, again]) => {
        const shapes = (of: ReadonlyArray<number>): SampleShape[] => of.map((seq) => ({ seq, cpuCores: seq / 200 }))
        const inOrder = windowOf(shapes([...numbers].sort((a, b) => a - b)))
        expect(windowOf(shapes([...shuffled, ...again]))).toEqual(inOrder)
      }),
      { numRuns: 60 },
    )
  })

  it('keeps the newest samples only', () => {
    const window = windowOf(Array.from({ length: 100 }, (_, seq) => ({ seq })))
    expect(window.entries).toHaveLength(windowSamplesMax)
    expect(seqs(window)[0]).toBe(40)
    expect(observe(window, sampleOf({ seq: 3 }), goodPath)).toBe(window)
  })

  it('survives JSON unchanged', () => {
    const window = windowOf([{ seq: 0, diskLatencyMs: null }, { seq: 1 }, { seq: 0, bootId: 'boot-2' }])
    expect(JSON.parse(JSON.stringify(window))).toEqual(window)
  })

  it('begins anew with a new boot and ignores what comes late of the boot before', () => {
    const restarted = windowOf([{ seq: 7 }, { seq: 8 }, { seq: 0, bootId: 'boot-2' }])
    expect(seqs(restarted)).toEqual([0])
    expect(observe(restarted, sampleOf({ seq: 9 }), goodPath)).toBe(restarted)
    expect(seqs(observe(restarted, sampleOf({ seq: 1, bootId: 'boot-2' }), goodPath))).toEqual([0, 1])
  })

  it('measures time by intervals, so that a stepped clock does not show', () => {
    const window = windowOf([
      { seq: 0, takenAt: 1_000_000 },
      { seq: 1, takenAt: 1_001_000 },
      { seq: 2, takenAt: 9_000_000 },
      { seq: 4, takenAt: 9_002_200 },
    ])
    expect(timesOf(window.entries)).toEqual([-4_200, -3_200, -2_200, 0])
  })
})
