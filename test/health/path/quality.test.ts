import fc from 'fast-check'
import {
  afterDeafness,
  initialPath,
  qualityAt,
  withHeartbeat,
  withRtt,
  type PathState,
} from '../../../src/health/path/index.js'

const beat = (seq: number, receivedAt = seq * 100, bootId = 'boot-1'): Parameters<typeof withHeartbeat>[1] => ({
  bootId,
  seq,
  sentAt: seq * 100,
  receivedAt,
})
const heard = (seqs: ReadonlyArray<number>, from: PathState = initialPath): PathState =>
  seqs.reduce((state, seq) => withHeartbeat(state, beat(seq)), from)
const upTo = (end: number): ReadonlyArray<number> => Array.from({ length: end }, (_, seq) => seq)

describe('quality of a path', () => {
  it('is unknown before the first heartbeat', () => {
    expect(qualityAt(initialPath, 0)).toEqual({ rttMs: null, lossRatio: null, jitterMs: null })
  })

  it('counts the numbers that did not arrive in the last ten seconds', () => {
    const state = heard(upTo(300).filter((seq) => seq % 20 !== 7))
    expect(qualityAt(state, 29_900).lossRatio).toBeCloseTo(0.05, 2)
    const recovered = heard(
      upTo(450).filter((seq) => seq >= 300),
      state,
    )
    expect(qualityAt(recovered, 44_900).lossRatio).toBe(0)
  })

  it('does not call a number lost that comes late, nor count a duplicate twice', () => {
    const state = heard([0, 1, 2, 4, 5, 5, 4])
    expect(qualityAt(state, 500).lossRatio).toBeCloseTo(1 / 6, 4)
    expect(qualityAt(withHeartbeat(state, beat(3, 520)), 520).lossRatio).toBe(0)
  })

  it('sees a gap whose earlier side has left the window', () => {
    const state = withHeartbeat(heard(upTo(10)), beat(200))
    expect(qualityAt(state, 20_000).lossRatio).toBeGreaterThan(0.9)
  })

  it('begins anew with a new boot and ignores late heartbeats of the old one', () => {
    const restarted = withHeartbeat(heard([0, 1, 2, 9]), beat(0, 1_000, 'boot-2'))
    expect(qualityAt(restarted, 1_000)).toMatchObject({ lossRatio: 0, jitterMs: null })
    expect(withHeartbeat(restarted, beat(10))).toBe(restarted)
  })

  it('is silence, not loss, when nothing arrives any more', () => {
    expect(qualityAt(heard(upTo(50)), 60_000).lossRatio).toBeNull()
  })

  it('does not call lost what came while nobody could hear', () => {
    const back = heard(
      upTo(220).filter((seq) => seq >= 200),
      afterDeafness(heard(upTo(100))),
    )
    expect(qualityAt(back, 22_000).lossRatio).toBe(0)
    expect(qualityAt(heard([221, 223], back), 22_400).lossRatio).toBeGreaterThan(0)
  })

  it('computes the jitter of RFC 3550', () => {
    // Transit times 0, 16, 0: |D| = 16 twice. J = 16/16 = 1, then 1 + (16 - 1)/16.
    const state = [beat(0, 0), beat(1, 116), beat(2, 200)].reduce(withHeartbeat, initialPath)
    expect(qualityAt(state, 200).jitterMs).toBe(1.94)
  })

  it('does not take a stepped clock for jitter', () => {
    const state = [beat(0, 0), beat(1, 3_600_100), beat(2, 3_600_200)].reduce(withHeartbeat, initialPath)
    expect(qualityAt(state, 3_600_200).jitterMs).toBe(0)
  })

  it('has the round trip of the newest probe', () => {
    expect(qualityAt(withRtt(initialPath, 12.345), 0).rttMs).toBe(12.35)
    expect(qualityAt(withRtt(withRtt(initialPath, 12), null), 0).rttMs).toBeNull()
  })

  it('remembers the newest thousand heartbeats of the last ten seconds', () => {
    const beats = (count: number, everyMs: number): PathState =>
      upTo(count).reduce((state, seq) => withHeartbeat(state, beat(seq, seq * everyMs)), initialPath)
    expect(beats(3_000, 1).arrivals.map(({ seq }) => seq)).toEqual(upTo(3_000).slice(-1_001))
    expect(beats(3_000, 100).arrivals.map(({ seq }) => seq)).toEqual(upTo(3_000).slice(-100))
  })

  it('gives ratios within 0..1 and stays small, whatever arrives', () => {
    const bursts = fc.array(
      fc.tuple(fc.nat(20_000), fc.nat(40_000), fc.constantFrom('b1', 'b1', 'b1', 'b2', 'b3'), fc.nat(1_500)),
      { maxLength: 3 },
    )
    fc.assert(
      fc.property(bursts, (list) => {
        const state = list
          .flatMap(([first, time, boot, count]) => upTo(count).map((index) => beat(first + index, time, boot)))
          .reduce(withHeartbeat, initialPath)
        const { lossRatio } = qualityAt(state, 40_000)
        expect(lossRatio === null || (lossRatio >= 0 && lossRatio <= 1)).toBe(true)
        expect(state.arrivals.length).toBeLessThanOrEqual(1_001)
      }),
      { numRuns: 30 },
    )
  })
})
