import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { firstFrameOf, frameCountOf, inspectSegment, writeSegment } from '../../../src/media/fmp4/index.js'
import type { Track } from '../../../src/media/segment.js'
import { formatOf } from '../support.js'

const segmentOf = (track: Track, number: number, format = formatOf()) =>
  writeSegment(
    track,
    number,
    Array.from({ length: frameCountOf(number, track, format) }, (_, index) => new Uint8Array(10 + index)),
    format,
  )

describe('inspectSegment', () => {
  it.each(['video', 'audio'] as const)('reads what was written into a %s segment, at any rate and number', (track) => {
    fc.assert(
      fc.property(fc.constantFrom(24, 25, 29.97, 50), fc.integer({ min: 0, max: 2 ** 34 }), (fps, number) => {
        const format = formatOf({ fps })
        const { bytes, ...facts } = segmentOf(track, number, format)
        expect(inspectSegment(bytes, format)).toEqual(E.right(facts))
      }),
    )
  })

  it('lets every audio frame belong to exactly one segment', () => {
    const format = formatOf({ fps: 29.97 })
    for (let number = 1000; number < 1100; number += 1) {
      const first = firstFrameOf(number, 'audio', format)
      expect(Math.floor((first * 1920) / format.segmentTicks)).toBe(number)
      expect(Math.floor(((first - 1) * 1920) / format.segmentTicks)).toBe(number - 1)
    }
  })

  it('tells truncated from oversized from unexpected', () => {
    const { bytes } = segmentOf('video', 7)
    const kindOf = (candidate: Uint8Array) => {
      const facts = inspectSegment(candidate, formatOf())
      return E.isLeft(facts) ? facts.left.kind : 'accepted'
    }
    expect(kindOf(bytes.subarray(0, -1))).toBe('truncated')
    expect(kindOf(new Uint8Array(17 * 1024 * 1024))).toBe('oversized')
    expect(kindOf(Buffer.from('<html>not a segment</html>'))).not.toBe('accepted')
    expect(kindOf(new Uint8Array())).toBe('unexpected')
    expect(kindOf(Buffer.concat([bytes, bytes]))).toBe('unexpected')
  })

  it('refuses a segment of another format', () => {
    expect(E.isLeft(inspectSegment(segmentOf('video', 7).bytes, formatOf({ gopFrames: 10 })))).toBe(true)
  })

  it('never throws, whatever the bytes', () => {
    const { bytes } = segmentOf('video', 123_456)
    const change = fc.tuple(fc.nat(150), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(bytes.length), (changes, length) => {
        const damaged = Uint8Array.from(bytes)
        for (const [at, value] of changes) damaged[at] = value
        inspectSegment(damaged.subarray(0, length), formatOf())
      }),
      { numRuns: 1000 },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => E.isLeft(inspectSegment(noise, formatOf()))))
  })
})
