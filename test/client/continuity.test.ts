import { nothingPlayed, played, type Continuity } from '../../src/client/continuity.js'

interface Sent {
  readonly number: number
  readonly videoStart?: number
  readonly audioStart?: number
}

const play = (sent: ReadonlyArray<Sent>): Continuity =>
  sent.reduce<Continuity>((state, { number, videoStart = number * 28_800, audioStart = number * 15_360 }) => {
    const video = { startTicks: videoStart, endTicks: videoStart + 28_800, timescale: 90_000 }
    const audio = { startTicks: audioStart, endTicks: audioStart + 15_360, timescale: 48_000 }
    return played(state, number, video, audio)
  }, nothingPlayed)

const far = 5_000_000_000

describe('what was played', () => {
  test('is whole when numbers and decode times follow each other', () => {
    const numbers = [0, 1, 2, 3].map((i) => ({ number: far + i }))
    expect(play(numbers)).toMatchObject({ segments: 4, gaps: 0, duplicates: 0 })
  })

  test('counts every number that is missing', () => {
    expect(play([{ number: 5 }, { number: 9 }])).toMatchObject({ segments: 2, gaps: 3, duplicates: 0 })
  })

  test('counts a number that comes again', () => {
    expect(play([{ number: 5 }, { number: 6 }, { number: 6 }])).toMatchObject({ gaps: 0, duplicates: 1 })
  })

  test('finds a hole of a single video frame, or audio frame, though the numbers follow each other', () => {
    expect(play([{ number: 5 }, { number: 6, videoStart: 6 * 28_800 + 3_600 }]).gaps).toBe(1)
    expect(play([{ number: 5 }, { number: 6, audioStart: 6 * 15_360 + 1_024 }]).gaps).toBe(1)
  })

  test('finds an overlap though the numbers follow each other', () => {
    expect(play([{ number: 5 }, { number: 6, videoStart: 6 * 28_800 - 3_600 }]).duplicates).toBe(1)
  })

  test('forgives the rounding of a tick', () => {
    expect(play([{ number: 5 }, { number: 6, videoStart: 6 * 28_800 + 1 }])).toMatchObject({ gaps: 0, duplicates: 0 })
  })
})
