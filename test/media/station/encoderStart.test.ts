import { ticksOfMs } from '../../../src/media/format.js'
import { encoderStart } from '../../../src/media/station/encoderStart.js'
import { format } from '../support/scripted.js'

const assignment = { format, backfillMs: 3_000 }
const startOf = (number: number): number => number * format.segmentTicks
/** One segment after the end of number 116. */
const nowMs = (118 * format.segmentTicks) / 90

describe('An encoder begins', () => {
  it('behind the newest number that the buffer holds', () => {
    expect(encoderStart({ runStart: 101, live: 116 }, assignment, nowMs)).toEqual({ startTicks: startOf(117) })
  })

  it('before what the buffer holds when that is less than the back-fill', () => {
    expect(encoderStart({ runStart: 115, live: 116 }, assignment, nowMs)).toEqual({
      startTicks: startOf(117) - ticksOfMs(3_000),
    })
  })

  it('at the back-fill when the buffer is empty', () => {
    expect(encoderStart({ runStart: null, live: null }, assignment, nowMs)).toEqual({ backMs: 3_000 })
  })

  it('at the back-fill when what the buffer holds is long past', () => {
    expect(encoderStart({ runStart: 101, live: 116 }, assignment, nowMs + 20_000)).toEqual({ backMs: 3_000 })
  })

  it('where the buffer ends, also by a clock that is behind the media', () => {
    expect(encoderStart({ runStart: 101, live: 116 }, assignment, nowMs - 60_000)).toEqual({ startTicks: startOf(117) })
  })
})
