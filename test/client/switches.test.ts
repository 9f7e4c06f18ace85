import { countsSince, isCarriedOut, switchingTo } from '../../src/client/switches.js'

const a = { id: 'a', url: 'http://a.test' }
const b = { id: 'b', url: 'http://b.test' }
const old = { stream: 'news', epoch: 1, cutover: 0, primary: a, standby: b, previous: null, sequence: 1 }
const route = { ...old, epoch: 2, cutover: 100, primary: b, standby: a, previous: a, sequence: 2 }
const counts = { gaps: 1, duplicates: 0, hashMismatches: 0, stalls: 2, stallMs: 300 }

describe('a change of server', () => {
  test('begins with a new epoch and counts from there', () => {
    const switching = switchingTo(old, route, null, counts)
    expect(switching).toEqual({ epoch: 2, cutover: 100, from: 'a', to: b, before: counts })
    expect(switchingTo(old, { ...old, sequence: 9 }, null, counts)).toBeNull()
  })

  test('is carried out by the first number of the epoch with both tracks from its primary', () => {
    const switching = switchingTo(old, route, null, counts)
    if (switching === null) throw new Error('nothing began')
    expect(isCarriedOut(switching, 99, { video: 'b', audio: 'b' })).toBe(false)
    expect(isCarriedOut(switching, 100, { video: 'b', audio: 'a' })).toBe(false)
    expect(isCarriedOut(switching, 100, { video: 'b', audio: 'b' })).toBe(true)
  })

  test('that is overtaken by another one goes on counting where it began', () => {
    const first = switchingTo(old, route, null, counts)
    const second = { ...route, epoch: 3, cutover: 101, primary: { id: 'c', url: 'http://c.test' }, sequence: 3 }
    expect(switchingTo(route, second, first, { ...counts, stalls: 5 })).toMatchObject({ from: 'a', before: counts })
  })

  test('is reported with what happened since it began', () => {
    expect(countsSince(counts, { ...counts, stalls: 3, stallMs: 450 })).toEqual({
      gaps: 0,
      duplicates: 0,
      hashMismatches: 0,
      stalls: 1,
      stallMs: 150,
    })
  })
})
