import { AccessUnitParser, FeedRing, FeedWriter, type AccessUnit } from '../../../src/media/feed/index.js'
import { firstCounters } from '../../../src/media/feed/block.js'
import { unwrap33 } from '../../../src/media/feed/ts/clock33.js'
import { Splicer } from '../../../src/media/ingest/splicer.js'
import { formatOf, unitOf } from '../support.js'

const format = formatOf()
const slateFill = 0x11
const sourceFill = 0x22

const slate = {
  video: Array.from({ length: 48 }, (_, index) =>
    unitOf('video', index * 3600, { keyFrame: index % 24 === 0, fill: slateFill }),
  ),
  silence: unitOf('audio', 0, { fill: slateFill }),
  withText: true,
}

const source = (track: 'video' | 'audio', pts: number, keyFrame?: boolean): AccessUnit =>
  unitOf(track, pts, { fill: sourceFill, ...(keyFrame === undefined ? {} : { keyFrame }) })

describe('Splicer', () => {
  const start = 1_000_000 * format.segmentTicks
  let ring: FeedRing
  let splicer: Splicer

  const begin = (startTicks: number): void => {
    ring = new FeedRing()
    splicer = new Splicer({ format, writer: new FeedWriter(ring), slate, startTicks })
  }

  /** What a reader of the feed sees: absolute time and origin of every frame. */
  const aired = (track: 'video' | 'audio') =>
    new AccessUnitParser()
      .push(ring.read(0, Infinity) ?? new Uint8Array())
      .filter((unit) => unit.track === track)
      .map(({ pts, keyFrame, packets }) => ({
        pts: unwrap33(pts, start),
        keyFrame,
        origin: packets[packets.length - 1],
      }))

  const timesOf = (track: 'video' | 'audio'): ReadonlyArray<number> => aired(track).map(({ pts }) => pts)
  const steps = (times: ReadonlyArray<number>): ReadonlySet<number> =>
    new Set(times.slice(1).map((time, index) => time - (times[index] ?? 0)))

  beforeEach(() => begin(start))

  it('gives every frame the next frame time, whatever comes from where', () => {
    splicer.spliceToSource(source('video', 777_000, true))
    for (let index = 0; index < 10; index += 1) {
      splicer.pushSource(source('video', 777_000 + index * 3600, index === 0), 1)
    }
    splicer.spliceToSlate()
    for (let index = 0; index < 30; index += 1) splicer.pushSlate()
    splicer.spliceToSource(source('video', 5_000, true))
    for (let index = 0; index < 10; index += 1) {
      splicer.pushSource(source('video', 5_000 + index * 3600, index === 0), 1)
    }
    expect(timesOf('video')).toHaveLength(50)
    expect(steps(timesOf('video'))).toEqual(new Set([3600]))
    expect(aired('video')[10]).toEqual({ pts: start + 36_000, keyFrame: true, origin: slateFill })
    expect(aired('video')[40]).toMatchObject({ keyFrame: true, origin: sourceFill })
  })

  it('keeps the sound on its grid of 1920 ticks, in step with the picture, and fills what is missing with silence', () => {
    splicer.spliceToSource(source('video', 0, true))
    for (let index = 0; index < 20; index += 1) splicer.pushSource(source('video', index * 3600, index === 0), 1)
    splicer.pushSource(source('audio', 19_200), 1)
    splicer.pushSource(source('audio', 21_120), 1)
    expect(steps(timesOf('audio'))).toEqual(new Set([1920]))
    expect(aired('audio').flatMap(({ pts, origin }) => (origin === sourceFill ? [pts - start] : []))).toEqual([
      19_200, 21_120,
    ])
  })

  it('puts silence under a source that has no sound, level with the picture', () => {
    splicer.spliceToSource(source('video', 0, true))
    for (let index = 0; index < 20; index += 1) splicer.pushSource(source('video', index * 3600, index === 0), 0)
    expect((timesOf('audio').at(-1) ?? 0) + 1920).toBeGreaterThanOrEqual(splicer.nextTicks)
  })

  it('does not let sound that came too late, or claims to come from the far future, disturb the grid', () => {
    for (let index = 0; index < 10; index += 1) splicer.pushSlate()
    splicer.spliceToSource(source('video', 0, true))
    const before = timesOf('audio').length
    splicer.pushSource(source('audio', -50_000), 1)
    splicer.pushSource(source('audio', 90_000_000), 1)
    expect(timesOf('audio')).toHaveLength(before)
  })

  it('tells readers at once what closes a segment, and little else, so that they sleep between', () => {
    const told: number[] = []
    ring.onAppend(() => told.push((ring.liveTicks ?? 0) / 3600))
    splicer.spliceToSource(source('video', 0, true))
    for (let index = 0; index < 17; index += 1) splicer.pushSource(source('video', index * 3600, index === 0), 1)
    splicer.pushSource(source('audio', 16 * 3600), 1)
    const first = start / 3600 + 1
    const ofSegment = [first, first + 1, first + 4]
    const withSound = [...new Set(told)]
    expect(withSound).toEqual([...ofSegment, ...ofSegment.map((frame) => frame + 8), first + 16])
    expect(told.at(-1)).toBe(first + 16)
    expect(told.filter((frame) => frame === first + 16).length).toBeGreaterThan(1)
  })

  it('says that a frame is missing, rather than show what cannot be decoded', () => {
    splicer.spliceToSource(source('video', 0, true))
    expect(splicer.pushSource(source('video', 0, true), 1)).toBe(true)
    expect(splicer.pushSource(source('video', 7200, false), 1)).toBe(false)
    expect(splicer.pushSource(source('video', 0, false), 1)).toBe(true)
    expect(timesOf('video')).toHaveLength(1)
  })

  it('goes on in the middle of a segment, with sound that had been further on than the picture', () => {
    const startTicks = start + 3 * 3600
    const audioTicks = start + 5 * 3600 + 1200
    splicer = new Splicer({ format, writer: new FeedWriter(ring), slate, startTicks, soundTicks: [audioTicks] })
    for (let index = 0; index < 10; index += 1) splicer.pushSlate()
    expect(timesOf('video')[0]).toBe(startTicks)
    expect(timesOf('audio')[0]).toBe(audioTicks)
    expect([steps(timesOf('video')), steps(timesOf('audio'))]).toEqual([new Set([3600]), new Set([1920])])
  })

  it('keeps each sound on the grid by itself: one that is late waits, one that the source lacks is silent', () => {
    const [en, de, fr] = ['en', 'de', 'fr'].map((language) => ({ language }))
    const ofThree = formatOf({ sounds: [en, de, fr].filter((sound) => sound !== undefined) })
    splicer = new Splicer({ format: ofThree, writer: new FeedWriter(ring, firstCounters(3)), slate, startTicks: start })
    splicer.spliceToSource(source('video', 0, true))
    for (let index = 0; index < 40; index += 1) {
      splicer.pushSource(source('video', index * 3600, index === 0), 2)
      if (index < 20) splicer.pushSource({ ...source('audio', index * 1920), sound: 1 }, 2)
    }
    splicer.pushSource({ ...source('audio', 0), sound: 3 }, 2)
    const units = new AccessUnitParser().push(ring.read(0, Infinity) ?? new Uint8Array())
    const sounds = [0, 1, 2].map((sound) => units.filter((unit) => unit.track === 'audio' && unit.sound === sound))
    for (const frames of sounds) {
      expect(steps(frames.map(({ pts }) => unwrap33(pts, start)))).toEqual(new Set([1920]))
    }
    const fromSource = (frames: ReadonlyArray<AccessUnit> = []): number =>
      frames.filter(({ packets }) => packets.at(-1) === sourceFill).length
    expect(sounds.map(fromSource)).toEqual([0, 20, 0])
    const ends = sounds.map((frames) => unwrap33(frames.at(-1)?.pts ?? 0, start) + 1920)
    expect(ends.map((end) => end >= splicer.nextTicks)).toEqual([false, false, true])
    expect(ends.every((end) => end >= splicer.nextTicks - 63_000)).toBe(true)
  })

  it('runs over the wrap of the 33 bit clock without a step', () => {
    begin(Math.floor(2 ** 33 / format.segmentTicks) * format.segmentTicks)
    for (let index = 0; index < 60; index += 1) splicer.pushSlate()
    const parser = new AccessUnitParser()
    const units = parser.push(ring.read(0, Infinity) ?? new Uint8Array()).filter(({ track }) => track === 'video')
    expect(steps(units.map(({ pts }) => pts))).toEqual(new Set([3600]))
  })
})
