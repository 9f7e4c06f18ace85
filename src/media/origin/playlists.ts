import type { StreamFormat } from '../../events/index.js'
import { audioFrameTicks, msOfTicks, ticksPerSecond } from '../format.js'
import { boxesIn, only } from '../fmp4/boxes.js'
import { codecStrings, frameCountOf } from '../fmp4/index.js'
import { readMovie } from '../fmp4/init.js'
import type { Track } from '../segment.js'

/**
 * Media playlist (RFC 8216bis) of the numbers `first` to `last`. A pure function of its arguments: two servers that
 * hold the same numbers write the same text, so that a player may change between them at any reload.
 */
export function mediaPlaylist(track: Track, format: StreamFormat, first: number, last: number): string {
  const startedAt = new Date(msOfTicks(first * format.segmentTicks)).toISOString()
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-TARGETDURATION:1',
    '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES',
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    `#EXT-X-MAP:URI="${track}/init.mp4"`,
    `#EXT-X-PROGRAM-DATE-TIME:${startedAt}`,
  ]
  for (let number = first; number <= last; number += 1) {
    lines.push(`#EXTINF:${durationS(track, format, number).toFixed(5)},`, `${track}/${number}.m4s`)
  }
  return `${lines.join('\n')}\n`
}

const durationS = (track: Track, format: StreamFormat, number: number): number =>
  (track === 'video' ? format.segmentTicks : frameCountOf(number, track, format) * audioFrameTicks) / ticksPerSecond

/** What a multivariant playlist tells about the tracks. */
export interface VariantFacts {
  readonly codecs: string
  readonly width: number
  readonly height: number
}

/** Reads codecs (RFC 6381) and picture size from the combined init segment. Throws when it is none. */
export function readVariant(combinedInit: Uint8Array): VariantFacts {
  const { configuration } = readMovie(combinedInit, only(boxesIn(combinedInit, 0, combinedInit.length), 'moov'))
  const { video, audio } = codecStrings(configuration)
  return { codecs: `${video},${audio}`, width: configuration.video.width, height: configuration.video.height }
}

const audioBitsPerS = 128_000
/** A generous guess; a measured figure would differ between servers. */
const bitsPerPixelMax = 0.2

/** Multivariant playlist: one variant and its audio group. */
export function multivariantPlaylist(format: StreamFormat, { codecs, width, height }: VariantFacts): string {
  const fps = format.frameRate.num / format.frameRate.den
  const bandwidth = Math.round(width * height * fps * bitsPerPixelMax) + audioBitsPerS
  const attributes = [
    `BANDWIDTH=${bandwidth}`,
    `CODECS="${codecs}"`,
    `RESOLUTION=${width}x${height}`,
    `FRAME-RATE=${fps.toFixed(3)}`,
    `STABLE-VARIANT-ID="v${height}"`,
    'AUDIO="a"',
  ]
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="main",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",STABLE-RENDITION-ID="a",URI="audio.m3u8"',
    `#EXT-X-STREAM-INF:${attributes.join(',')}`,
    'video.m3u8',
    '',
  ].join('\n')
}
