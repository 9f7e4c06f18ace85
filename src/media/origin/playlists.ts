import type { StreamFormat } from '../../events/index.js'
import { audioFrameTicks, msOfTicks, ticksPerSecond } from '../format.js'
import { boxesIn, only } from '../fmp4/boxes.js'
import { codecStrings, frameCountOf } from '../fmp4/index.js'
import { readMovie } from '../fmp4/init.js'
import type { Track } from '../segment.js'
import { audioBitsPerS, videoBitsPerS } from './bandwidth.js'
import { herePathway } from './steering.js'

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

/** What playlists tell about one variant of the picture, and the sound that belongs to it. */
export interface VariantFacts {
  /** Stable name, such as v360. */
  readonly id: string
  /** Where its playlist and segments lie, such as video. */
  readonly path: string
  readonly codecs: { readonly video: string; readonly audio: string }
  readonly width: number
  readonly height: number
}

/** Reads codecs (RFC 6381) and picture size from the combined init segment. Throws when it is none. */
export function readVariant(combinedInit: Uint8Array): VariantFacts {
  const { configuration } = readMovie(combinedInit, only(boxesIn(combinedInit, 0, combinedInit.length), 'moov'))
  const { width, height } = configuration.video
  return { id: `v${height}`, path: 'video', codecs: codecStrings(configuration), width, height }
}

/**
 * Multivariant playlist: the variants and their audio group. The same on every server.
 * @param steered with content steering (RFC 8216bis, 4.4.6.6), for players that choose their server themselves
 */
export function multivariantPlaylist(
  format: StreamFormat,
  variants: ReadonlyArray<VariantFacts>,
  steered = true,
): string {
  const fps = format.frameRate.num / format.frameRate.den
  const streams = variants.flatMap(({ id, path, codecs, width, height }) => {
    const attributes = [
      `BANDWIDTH=${videoBitsPerS(format, width, height) + audioBitsPerS}`,
      `CODECS="${codecs.video},${codecs.audio}"`,
      `RESOLUTION=${width}x${height}`,
      `FRAME-RATE=${fps.toFixed(3)}`,
      `STABLE-VARIANT-ID="${id}"`,
      ...(steered ? [`PATHWAY-ID="${herePathway}"`] : []),
      'AUDIO="a"',
    ]
    return [`#EXT-X-STREAM-INF:${attributes.join(',')}`, `${path}.m3u8`]
  })
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...(steered ? [`#EXT-X-CONTENT-STEERING:SERVER-URI="steering.json",PATHWAY-ID="${herePathway}"`] : []),
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="main",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",STABLE-RENDITION-ID="a",URI="audio.m3u8"',
    ...streams,
    '',
  ].join('\n')
}
