import fc from 'fast-check'
import { startTicksOf, timescaleOf } from '../../src/client/decodeTime.js'
import { isMalformed, readFragment, readInit } from '../../src/client/index.js'
import { audioInit, segmentBytes, videoInit } from '../support/madeUpStream.js'

const video = segmentBytes(5_000_000_000, 'video', '')

describe('where a segment lies in time', () => {
  it('is what the reader of whole fragments says', () => {
    for (const init of [videoInit, audioInit]) {
      const tracks = readInit(init)
      expect(timescaleOf(init)).toBe(isMalformed(tracks) ? null : tracks[0]?.timescale)
    }
    for (const bytes of [video, segmentBytes(5_000_000_000, 'audio', '')]) {
      const span = readFragment(bytes, 1_024)
      expect(startTicksOf(bytes)).toBe(isMalformed(span) ? null : span.startTicks)
    }
  })

  it('is unknown when the bytes are cut off, others, or none', () => {
    expect([startTicksOf(new Uint8Array()), startTicksOf(videoInit), timescaleOf(video)]).toEqual([null, null, null])
    expect([startTicksOf(video.slice(0, 30)), timescaleOf(videoInit.slice(0, 60))]).toEqual([null, null])
  })

  it('is a number or unknown, whatever the bytes are', () => {
    const changed = fc
      .tuple(fc.nat(video.length - 1), fc.nat(255), fc.nat(video.length))
      .map(([at, value, length]) => video.map((byte, index) => (index === at ? value : byte)).slice(0, length))
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array()), (bytes) => {
        const start = startTicksOf(bytes)
        expect(start === null || Number.isFinite(start)).toBe(true)
      }),
    )
  })
})
