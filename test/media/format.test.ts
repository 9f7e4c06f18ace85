import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import {
  formatFor,
  frameAt,
  phaseFrames,
  phaseTicks,
  segmentNumberAt,
  ticksOfFrame,
  trackNames,
  type FormatRequest,
} from '../../src/media/format.js'
import { formatOf } from './support.js'

const complaint = (...request: Parameters<typeof formatFor>): string => {
  const format = formatFor(...request)
  return E.isLeft(format) ? format.left.message : 'accepted'
}

describe('A stream format', () => {
  it.each([
    [24, 8, 30_000],
    [25, 8, 28_800],
    [29.97, 8, 24_024],
    [30, 8, 24_000],
    [50, 16, 28_800],
    [60, 16, 24_000],
  ])('has, at %d fps and without further wishes, segments of %d frames', (fps, gopFrames, segmentTicks) => {
    expect(formatOf({ fps })).toMatchObject({ gopFrames, segmentTicks })
    expect(phaseFrames(formatOf({ fps }))).toBe(32)
  })

  it('refuses a segment that is no whole number of frames and names the nearest that are', () => {
    expect(complaint({ fps: 25, height: 360, segmentMs: 500 })).toMatch(/12 frames \(480 ms\)/)
    expect(complaint({ fps: 25, height: 360, segmentMs: 330 })).toMatch(/8 frames \(320 ms\) or 9 frames \(360 ms\)/)
  })

  it('refuses a segment outside 200-500 ms, odd sizes, unknown presets and rates that it cannot count in', () => {
    expect(complaint({ fps: 25, height: 360, gopFrames: 4 })).toMatch(/200-500 ms; nearest: 5 frames/)
    expect(complaint({ fps: 25, height: 361 })).toMatch(/height 361/)
    expect(complaint({ fps: 25, height: 360, preset: 'quick' })).toMatch(/preset quick/)
    expect(complaint({ fps: Number.NaN, height: 360 })).toMatch(/frame rate/)
    expect(complaint({ fps: 25, height: 360, segmentMs: Number.NaN })).toMatch(/not possible/)
  })

  it('has smaller pictures of the same shape, named by their height, and refuses others', () => {
    const { height, renditions } = formatOf({ height: 720, width: 960, smaller: [360, 180], audioOnly: true })
    expect([height, ...renditions.map(({ id, width }) => [id, width])]).toEqual([720, ['v360', 480], ['v180', 240]])
    expect(formatOf({ height: 360 })).toMatchObject({ renditions: [], audioOnly: false })
    expect(complaint({ fps: 25, height: 360, smaller: [360] })).toMatch(/360p is not below 360p.*largest first/)
    expect(complaint({ fps: 25, height: 360, smaller: [181] })).toMatch(/height 181 is not usable/)
    expect(complaint({ fps: 25, height: 720, smaller: [96, 80, 64, 48, 32, 16] })).toMatch(/at most 6/)
  })

  it('has sounds with names that differ, and refuses what is no language or no name', () => {
    const sounds = ['en', 'de', 'en', 'pt-br'].map((language) => ({ language }))
    expect(formatOf({ sounds }).sounds).toEqual([
      { id: 'audio', language: 'en', name: 'English' },
      { id: 'audio-2', language: 'de', name: 'Deutsch' },
      { id: 'audio-3', language: 'en', name: 'English 3' },
      { id: 'audio-4', language: 'pt-BR', name: 'português (Brasil)' },
    ])
    expect(trackNames(formatOf({ height: 360, smaller: [180], sounds: sounds.slice(0, 2) }))).toEqual([
      ...['video', 'audio', 'v180', 'audio-2'],
    ])
    const asked = (...requests: FormatRequest['sounds'] & {}): string =>
      complaint({ fps: 25, height: 360, sounds: requests })
    expect(asked({ language: 'e n' })).toMatch(/"e n" is no language tag: give one such as en, de/)
    expect(asked({ language: 'en', name: 'a "quoted" name' })).toMatch(
      /name of sound track 1 must not be empty or hold/,
    )
    expect(asked({ language: 'en' }, { language: 'en', name: '' })).toMatch(/name of sound track 2/)
    expect(asked(...Array.from({ length: 9 }, () => ({ language: 'en' })))).toMatch(/at most 8/)
  })

  it('starts encoders on a phase that x264 repeats, even where that is long', () => {
    expect(phaseFrames(formatOf({ gopFrames: 10 }))).toBe(160)
    expect(phaseTicks(formatOf({ gopFrames: 10 }))).toBe(576_000)
  })

  it('counts frames from tick 0 without drift, also at fractional rates and today', () => {
    const rates = fc.constantFrom(24, 25, 29.97, 30, 50, 59.94, 60)
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 2 ** 38 }), (fps, frame) => {
        const format = formatOf({ fps })
        const ticks = ticksOfFrame(frame, format)
        expect(frameAt(ticks, format)).toBe(frame)
        expect(segmentNumberAt(ticks, format)).toBe(Math.floor(frame / format.gopFrames))
      }),
    )
  })
})
