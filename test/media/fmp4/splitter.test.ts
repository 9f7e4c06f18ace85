import fc from 'fast-check'
import { audioFrameTicks, kindOf, ticksOfFrame } from '../../../src/media/format.js'
import {
  Fmp4Splitter,
  firstFrameOf,
  frameCountOf,
  writeInitSegments,
  writeSegment,
} from '../../../src/media/fmp4/index.js'
import type { SplitterEvent } from '../../../src/media/fmp4/index.js'
import { box, boxesIn, childrenOf, concatBytes, fullBox, only, u32, u64 } from '../../../src/media/fmp4/boxes.js'
import type { EncodedSegment, Track } from '../../../src/media/segment.js'
import { formatOf, someConfiguration } from '../support.js'

const format = formatOf()
const first = 5_610_527_488

const frame = (track: Track, index: number): Uint8Array =>
  new Uint8Array(20 + (index % 7)).fill(track === 'video' ? 1 : 2)

/** A fragment as ffmpeg writes it: one frame, everything in the headers. */
const fragment = (track: Track, index: number, baseTicks: number, key = true): Uint8Array => {
  const video = track === 'video'
  const ticks = (video ? ticksOfFrame(index, format) : index * audioFrameTicks) - baseTicks
  const [id, time, duration] = video ? [1, ticks, 3600] : [2, (ticks / 15) * 8, 1024]
  const bytes = frame(track, index)
  const moof = (offset: number): Uint8Array =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(1)),
      box(
        'traf',
        fullBox('tfhd', 0, 0x020038, u32(id, duration, bytes.length, key ? 0x2000000 : 0x1010000)),
        fullBox('tfdt', 1, 0, u64(time)),
        fullBox('trun', 0, 1, u32(1, offset)),
      ),
    )
  return concatBytes([moof(moof(0).length + 8), box('mdat', bytes)])
}

const isKey = (index: number): boolean => index % format.gopFrames === 0

/** Both tracks for some segments, interleaved frame by frame, with the movie header first. */
const movie = (
  baseTicks: number,
  from: number,
  segments: number,
  leaveOut: (track: Track, index: number) => boolean,
) => {
  const parts = [writeInitSegments(someConfiguration).combined]
  for (let number = from; number < from + segments; number += 1) {
    for (const track of ['video', 'audio'] as const) {
      const start = firstFrameOf(number, track, format)
      for (let index = start; index < start + frameCountOf(number, track, format); index += 1) {
        if (!leaveOut(track, index)) parts.push(fragment(track, index, baseTicks, track === 'audio' || isKey(index)))
      }
    }
  }
  return concatBytes(parts)
}

/** A movie header as ffmpeg writes it for two pictures and a sound: tracks 1, 2 and 3. */
const movieOfThree = (large: typeof someConfiguration.video, small: typeof large): Uint8Array => {
  const { combined, others } = writeInitSegments({ ...someConfiguration, video: large, others: { small } })
  const third = Uint8Array.from(others['small'] ?? [])
  const boxesOf = (bytes: Uint8Array, type: string): Uint8Array => {
    const moov = only(boxesIn(bytes, 0, bytes.length), 'moov')
    const { offset, end } = only(childrenOf(bytes, moov), type)
    return bytes.subarray(offset, end)
  }
  const trak = boxesOf(third, 'trak')
  // Track id of tkhd: trak 8, tkhd 8, flags 4, two times.
  new DataView(trak.buffer, trak.byteOffset).setUint32(28, 3)
  const moov = only(boxesIn(combined, 0, combined.length), 'moov')
  const parts = childrenOf(combined, moov).map(({ type, offset, start, end }) =>
    type === 'mvex'
      ? box('mvex', combined.subarray(start, end), fullBox('trex', 0, 0, u32(3, 1, 0, 0, 0)))
      : combined.subarray(offset, end),
  )
  return box('moov', ...parts, trak)
}

const nothing = (): boolean => false

const split = (
  bytes: Uint8Array,
  baseTicks: number,
  sizes: ReadonlyArray<number> = [bytes.length],
): SplitterEvent[] => {
  const splitter = new Fmp4Splitter(format, baseTicks)
  const events: SplitterEvent[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    events.push(...splitter.push(bytes.subarray(at, at + size)))
    at += size
  }
  return events
}

const segmentsIn = (events: ReadonlyArray<SplitterEvent>): ReadonlyArray<EncodedSegment> =>
  events.flatMap((event) => (event.type === 'segment' ? [event.segment] : []))

const whole = (track: Track, number: number): EncodedSegment => {
  const start = firstFrameOf(number, track, format)
  const frames = Array.from({ length: frameCountOf(number, track, format) }, (_, index) => frame(track, start + index))
  return writeSegment(track, number, frames, format)
}

describe('Fmp4Splitter', () => {
  const baseTicks = first * format.segmentTicks

  it('regroups frames into segments with absolute numbers, however the bytes arrive', () => {
    const bytes = movie(baseTicks, first, 3, nothing)
    const expected = [0, 1, 2].flatMap((offset) => [whole('video', first + offset), whole('audio', first + offset)])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 }), (sizes) => {
        expect(segmentsIn(split(bytes, baseTicks, sizes))).toEqual(expected)
      }),
      { numRuns: 30 },
    )
  })

  it('gives the same init segments for the same codecs, before any segment', () => {
    const [event] = split(movie(baseTicks, first, 1, nothing), baseTicks)
    expect(event).toMatchObject({ type: 'init', init: writeInitSegments(someConfiguration) })
  })

  it('gives a video segment with its last frame, without waiting for the next one', () => {
    const bytes = movie(baseTicks, first, 1, (track) => track === 'audio')
    expect(segmentsIn(split(bytes.subarray(0, -1), baseTicks))).toHaveLength(0)
    expect(segmentsIn(split(bytes, baseTicks))).toEqual([whole('video', first)])
  })

  it('tells the tracks of several pictures apart by their order', () => {
    const two = formatOf({ height: 180, smaller: [90] })
    const small = { ...someConfiguration.video, width: 160, height: 90 }
    const asSecond = (bytes: Uint8Array): Uint8Array => {
      const copy = Uint8Array.from(bytes)
      // Track id of tfhd: moof 8, mfhd 16, traf 8, tfhd 8, flags 4.
      new DataView(copy.buffer).setUint32(44, 3)
      return copy
    }
    const frames = (of: (bytes: Uint8Array) => Uint8Array): ReadonlyArray<Uint8Array> =>
      Array.from({ length: format.gopFrames }, (_, index) => firstFrameOf(first, 'video', format) + index).map(
        (index) => of(fragment('video', index, baseTicks, isKey(index))),
      )
    const splitter = new Fmp4Splitter(two, baseTicks)
    const events = [
      movieOfThree(someConfiguration.video, small),
      ...frames((bytes) => bytes),
      ...frames(asSecond),
    ].flatMap((bytes) => splitter.push(bytes))
    expect(events[0]).toMatchObject({ configuration: { video: someConfiguration.video, others: { v90: small } } })
    expect(segmentsIn(events)).toEqual([whole('video', first), { ...whole('video', first), track: 'v90' }])
  })

  it('leaves out segments that it joined in the middle, without calling them incomplete', () => {
    const inFirst = (track: Track, index: number): boolean => index < firstFrameOf(first, track, format) + 2
    const events = split(movie(baseTicks, first, 2, inFirst), baseTicks)
    expect(segmentsIn(events).map(({ track, number }) => [track, number - first])).toEqual([
      ['video', 1],
      ['audio', 1],
    ])
    expect(events.filter(({ type }) => type === 'incomplete')).toEqual([])
  })

  it('reports a segment with a missing frame and never gives it', () => {
    const oneFrame = (track: Track, index: number): boolean =>
      track === 'video' && index === firstFrameOf(first + 1, 'video', format) + 3
    const events = split(movie(baseTicks, first, 3, oneFrame), baseTicks)
    expect(segmentsIn(events).flatMap(({ track, number }) => (track === 'video' ? [number - first] : []))).toEqual([
      0, 2,
    ])
    expect(events.filter(({ type }) => type === 'incomplete')).toMatchObject([
      { track: 'video', number: first + 1, count: 1 },
    ])
  })

  it('reports segments that are missing as a whole', () => {
    const twoSegments = (track: Track, index: number): boolean =>
      track === 'video' && [1, 2].includes(Math.floor(index / format.gopFrames) - first)
    const events = split(movie(baseTicks, first, 4, twoSegments), baseTicks)
    expect(events.filter(({ type }) => type === 'incomplete')).toMatchObject([{ number: first + 1, count: 2 }])
  })

  it('follows a 33 bit clock over its wrap', () => {
    const wrap = 2 ** 33
    const number = Math.floor(wrap / format.segmentTicks)
    const audio = (track: Track): boolean => track === 'audio'
    const header = writeInitSegments(someConfiguration).combined.length
    const bytes = concatBytes([movie(0, number - 1, 1, audio), movie(wrap, number + 1, 1, audio).subarray(header)])
    const numbers = segmentsIn(split(bytes, 0)).map((segment) => segment.number)
    expect(numbers).toEqual([number - 1, number + 1])
  })

  it('never throws on damaged bytes, and never gives a segment with a wrong frame count', () => {
    const bytes = movie(baseTicks, first, 2, nothing)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        fc.nat(bytes.length),
        (changes, length) => {
          const damaged = Uint8Array.from(bytes)
          for (const [at, value] of changes) damaged[at] = value
          for (const segment of segmentsIn(split(damaged.subarray(0, length), baseTicks, [701]))) {
            expect(segment.samples).toBe(frameCountOf(segment.number, kindOf(segment.track), format))
          }
        },
      ),
      { numRuns: 400 },
    )
  })
})
