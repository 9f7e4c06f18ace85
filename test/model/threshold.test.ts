import { noScores, thresholdFor, withScore, type ThresholdInputs } from '../../src/model/threshold.js'

const fleet = { servers: 3, troubled: 0, medianScore: 99, freeStreams: 8, unneeded: 0, serverDays: 0 }
const inputs: ThresholdInputs = { base: 60, budget: 1, scores: noScores, gaps: 0, streams: 1, viewers: 0, fleet }
const after = (changes: Partial<ThresholdInputs>) => thresholdFor({ ...inputs, ...changes })

describe('the threshold', () => {
  it("is the policy's when nothing speaks against it", () => {
    expect(after({})).toEqual({ threshold: 60, reason: 'nothing speaks against the policy' })
  })

  it('falls when more alarms are unneeded than the budget allows, and rises when fewer are', () => {
    const over = after({ fleet: { ...fleet, unneeded: 14, serverDays: 2 } })
    expect(over.threshold).toBeLessThan(55)
    expect(over.reason).toMatch(/14 unneeded alarms in 2 server-days/)
    expect(after({ fleet: { ...fleet, serverDays: 20 } }).threshold).toBe(65)
  })

  it("keeps below what the server's ordinary scores reach", () => {
    const scores = Array.from({ length: 1_000 }).reduce<ReadonlyArray<number>>(
      (all, _, index) => withScore(all, index % 20 === 0 ? 57 : 90),
      noScores,
    )
    expect(after({ scores })).toEqual({ threshold: 50, reason: 'its ordinary scores reach as low' })
  })

  it('keeps below a fleet that is bad as a whole: there is nowhere better to go', () => {
    expect(after({ fleet: { ...fleet, troubled: 2, medianScore: 55 } })).toMatchObject({ threshold: 45 })
    expect(after({ fleet: { ...fleet, servers: 1, medianScore: 30 } }).threshold).toBe(60)
  })

  it('rises with gaps and viewers at stake, and falls where nobody has room', () => {
    expect(after({ gaps: 0.5, viewers: 999 }).threshold).toBe(66)
    expect(after({ fleet: { ...fleet, freeStreams: 0 } })).toEqual({
      threshold: 55,
      reason: 'no room for its streams elsewhere (-5)',
    })
  })

  it('keeps within its bounds, whatever is asked for', () => {
    expect(after({ fleet: { ...fleet, unneeded: 100_000, serverDays: 1, freeStreams: 0 } }).threshold).toBe(43)
    expect(after({ gaps: 1, viewers: 1e9, fleet: { ...fleet, serverDays: 1e6 } }).threshold).toBe(70)
    expect(after({ base: 0, gaps: 1, viewers: 1e9 }).threshold).toBe(0)
    for (const budget of [0, -1, Number.NaN]) expect(after({ budget }).threshold).toBe(60)
  })
})
