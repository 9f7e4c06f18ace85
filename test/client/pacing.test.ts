import fc from 'fast-check'
import { latencyFor, paceAfter, paceUnknown, rateFor, rateMax, rateMin, type Pace } from '../../src/client/index.js'

const segmentMs = 320
const wishes = { latencyMs: 1_500, latencyMsMax: 7_500, segmentMs, risk: 0 }
const after = (latenessMs: ReadonlyArray<number>): Pace =>
  latenessMs.reduce((pace, each) => paceAfter(pace, each, segmentMs), paceUnknown)

describe('the latency to aim at', () => {
  it('is what was asked for while segments come in time', () => {
    expect(latencyFor(paceUnknown, wishes)).toBe(1_500)
    expect(latencyFor(after([150, 180, 160, 400]), wishes)).toBe(1_500)
  })

  it('grows when a segment comes late, and is back when that is over', () => {
    const late = after([150, 150, 2_000])
    expect(latencyFor(late, wishes)).toBeGreaterThan(2_000 + segmentMs)
    const calm = Array.from({ length: 900 }, () => 150).reduce((pace, each) => paceAfter(pace, each, segmentMs), late)
    expect(latencyFor(calm, wishes)).toBe(1_500)
  })

  it('is deeper while a server is at risk, if it is short', () => {
    const short = { ...wishes, latencyMs: 600 }
    expect(latencyFor(after([200]), { ...short, risk: 1 })).toBeGreaterThan(latencyFor(after([200]), short) + 300)
  })

  it('stays within its limits, whatever was measured', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e9, max: 1e9 })), fc.double({ min: 0, max: 1 }), (seen, risk) => {
        const latencyMs = latencyFor(after(seen), { ...wishes, risk })
        return latencyMs >= wishes.latencyMs && latencyMs <= wishes.latencyMsMax
      }),
    )
  })
})

describe('the playback rate', () => {
  it('is 1 near the wanted latency, faster behind it and slower before it', () => {
    expect(rateFor(1_520, 1_500, 1_000, segmentMs)).toBe(1)
    expect(rateFor(1_640, 1_500, 1_000, segmentMs)).toBeCloseTo(1.035)
    expect(rateFor(5_000, 1_500, 4_000, segmentMs)).toBe(rateMax)
    expect(rateFor(900, 1_500, 500, segmentMs)).toBe(rateMin)
  })

  it('is never faster into an empty buffer', () => {
    expect(rateFor(5_000, 1_500, 100, segmentMs)).toBe(1)
  })
})
