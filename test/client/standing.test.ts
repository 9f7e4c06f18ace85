import {
  backoffMsMax,
  backoffMsMin,
  delivered,
  failed,
  isAvoided,
  isProven,
  isSuspect,
  polled,
  pollFailed,
  struck,
  unknownStanding,
  unnumbered,
} from '../../src/client/standing.js'

describe('the standing of a server', () => {
  test('after a failure it is avoided for a while that doubles up to a bound', () => {
    let standing = failed(unknownStanding, 'refused', 1_000)
    expect(isAvoided(standing, 1_000 + backoffMsMin - 1)).toBe(true)
    expect(isAvoided(standing, 1_000 + backoffMsMin)).toBe(false)
    const waits = Array.from({ length: 6 }, (_, i) => {
      const nowMs = 100_000 * (i + 1)
      standing = failed(standing, 'refused', nowMs)
      return standing.avoidedUntilMs - nowMs
    })
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, backoffMsMax, backoffMsMax])
  })

  test('failures at the same time count as one', () => {
    const once = failed(unknownStanding, 'reset', 1_000)
    expect(failed(once, 'reset', 1_001).backoffMs).toBe(once.backoffMs)
  })

  test('one silent number is a suspicion, two in a row are an outage', () => {
    const once = struck(unknownStanding, 7, 'timeout', 1_000)
    expect([isSuspect(once), once.outage]).toEqual([true, null])
    expect(struck(once, 7, 'timeout', 1_010)).toBe(once)
    expect(struck(once, 8, 'timeout', 1_300).outage).toMatchObject({ reason: 'timeout' })
  })

  test('two missed things without a number are an outage, whatever polls say meanwhile', () => {
    const once = polled(struck(unknownStanding, unnumbered, 'status', 1_000), true, 2, 1_300)
    expect(struck(once, unnumbered, 'status', 2_000).outage).toMatchObject({ reason: 'status' })
  })

  test('on probation one silent number is enough', () => {
    const probation = { ...failed(unknownStanding, 'timeout', 1_000), strikes: 0 }
    expect(struck(probation, 9, 'timeout', 5_000).avoidedUntilMs).toBeGreaterThan(5_000)
  })

  test('a segment ends the outage and the back-off', () => {
    const well = delivered(failed(unknownStanding, 'refused', 1_000), 1_100)
    expect([isAvoided(well, 1_100), isSuspect(well), well.backoffMs]).toEqual([false, false, backoffMsMin])
  })

  test('who could not be reached may be tried again as soon as it answers a poll', () => {
    const back = polled(failed(unknownStanding, 'refused', 1_000), true, 3, 1_050)
    expect([isAvoided(back, 1_050), isProven(back), isSuspect(back)]).toEqual([false, true, true])
  })

  test('who answers polls but does not deliver stays avoided', () => {
    const mute = struck(struck(unknownStanding, 7, 'timeout', 900), 8, 'timeout', 1_000)
    expect(isAvoided(polled(mute, true, 3, 1_050), 1_050)).toBe(true)
  })

  test('the outage of a server that nobody asks ends after it has answered polls for long enough', () => {
    const out = failed(unknownStanding, 'refused', 1_000)
    const soon = polled(out, true, 3, 1_300)
    const later = polled(soon, true, 3, 2_300)
    expect([soon.outage === null, later.outage === null]).toEqual([false, true])
  })

  test('a single poll without an answer is no outage, two are', () => {
    const once = pollFailed(unknownStanding, 'timeout', 1_000)
    expect(once.outage).toBeNull()
    expect(polled(once, true, 3, 2_000).strikes).toBe(0)
    expect(pollFailed(once, 'timeout', 2_000).outage).toMatchObject({ reason: 'timeout', unreachable: true })
  })

  test('a refused poll is an outage', () => {
    expect(pollFailed(unknownStanding, 'refused', 1_000).outage).toMatchObject({ reason: 'refused' })
  })
})
