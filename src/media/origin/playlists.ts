import type { StreamFormat } from '../../events/index.js'
import type { HeldInit } from '../buffer/index.js'
import { audioFrameTicks, kindOf, msOfTicks, ticksPerSecond } from '../format.js'
import { boxesIn, only } from '../fmp4/boxes.js'
import { audioCodec, frameCountOf, readPicture, videoCodec } from '../fmp4/index.js'
import { readMovie } from '../fmp4/init.js'
import type { TrackName } from '../segment.js'
import { audioBitsPerS, videoBitsPerS } from './bandwidth.js'
import { herePathway } from './steering.js'

/**
 * Media playlist (RFC 8216bis) of the numbers `first` to `last`. A pure function of its arguments: two servers that
 * hold the same numbers write the same text, so that a player may change between them at any reload.
 */
export function mediaPlaylist(track: TrackName, format: StreamFormat, first: number, last: number): string {
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

const durationS = (track: TrackName, format: StreamFormat, number: number): number =>
  (kindOf(track) === 'video' ? format.segmentTicks : frameCountOf(number, 'audio', format) * audioFrameTicks) /
  ticksPerSecond

/** What playlists tell about one variant of the picture, and the sound that belongs to it. */
export interface VariantFacts {
  /** Stable name, such as v360. */
  readonly id: string
  /** Track: where its playlist and segments lie, such as video. */
  readonly path: TrackName
  readonly codecs: { readonly video: string; readonly audio: string }
  readonly width: number
  readonly height: number
}

/**
 * Reads codecs (RFC 6381) and picture sizes from the init segments: the first picture, then those of further renditions.
 * Throws when they are none.
 */
export function readVariants(init: HeldInit): ReadonlyArray<VariantFacts> {
  const combined = init.combined.bytes
  const { configuration } = readMovie(combined, only(boxesIn(combined, 0, combined.length), 'moov'))
  const audio = audioCodec(configuration.audio)
  const others = Object.entries(init.others)
    .filter(([path]) => kindOf(path) === 'video')
    .map(([path, { bytes }]) => ({ path, picture: readPicture(bytes) }))
  return [{ path: 'video', picture: configuration.video }, ...others].map(({ path, picture }) => {
    const { width, height } = picture
    return { id: `v${height}`, path, codecs: { video: videoCodec(picture), audio }, width, height }
  })
}

/** A sound track as playlists offer it. */
export interface OfferedSound {
  /** Stable name: `a`, then `a2` and so on. */
  readonly id: string
  /** Track: where its playlist and segments lie, such as audio. */
  readonly path: TrackName
  readonly name: string
  /** Null when nothing is known of it. */
  readonly language: string | null
}

/** The first one is played unless the viewer, or the language of the player, asks for another. */
export const soundsOf = ({ sounds }: Pick<StreamFormat, 'sounds'>): ReadonlyArray<OfferedSound> =>
  sounds.length === 0
    ? [{ id: 'a', path: 'audio', name: 'main', language: null }]
    : sounds.map(({ id, language, name }, index) => ({
        ...{ id: index === 0 ? 'a' : `a${index + 1}`, path: id, name, language },
      }))

/** Stable names of the sounds and their playlists, for steering. */
export const soundPlaylists = (format: Pick<StreamFormat, 'sounds'>): Readonly<Record<string, string>> =>
  Object.fromEntries(soundsOf(format).map(({ id, path }) => [id, `${path}.m3u8`]))

/** Stable names of the variants and their playlists, for steering. */
export const variantPlaylists = (
  { audioOnly }: StreamFormat,
  variants: ReadonlyArray<VariantFacts>,
): Readonly<Record<string, string>> =>
  Object.fromEntries([
    ...variants.map(({ id, path }) => [id, `${path}.m3u8`]),
    ...(audioOnly ? [[audioOnlyId, 'audio.m3u8']] : []),
  ])

const audioOnlyId = 'audio'

const soundTag = ({ id, path, name, language }: OfferedSound, index: number): string => {
  const attributes = [
    ...['TYPE=AUDIO', 'GROUP-ID="a"', `NAME="${name}"`],
    ...(language === null ? [] : [`LANGUAGE="${language}"`]),
    ...[`DEFAULT=${index === 0 ? 'YES' : 'NO'}`, 'AUTOSELECT=YES', 'CHANNELS="2"'],
    ...[`STABLE-RENDITION-ID="${id}"`, `URI="${path}.m3u8"`],
  ]
  return `#EXT-X-MEDIA:${attributes.join(',')}`
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
  const pathway = steered ? [`PATHWAY-ID="${herePathway}"`] : []
  const variant = (path: TrackName, attributes: ReadonlyArray<string>): ReadonlyArray<string> => [
    `#EXT-X-STREAM-INF:${[...attributes, ...pathway, 'AUDIO="a"'].join(',')}`,
    `${path}.m3u8`,
  ]
  const pictures = variants.flatMap(({ id, path, codecs, width, height }) =>
    variant(path, [
      `BANDWIDTH=${videoBitsPerS(format, width, height) + audioBitsPerS}`,
      `CODECS="${codecs.video},${codecs.audio}"`,
      `RESOLUTION=${width}x${height}`,
      `FRAME-RATE=${fps.toFixed(3)}`,
      `STABLE-VARIANT-ID="${id}"`,
    ]),
  )
  const [first] = variants
  const sound = [
    `BANDWIDTH=${audioBitsPerS}`,
    `CODECS="${first?.codecs.audio ?? ''}"`,
    `STABLE-VARIANT-ID="${audioOnlyId}"`,
  ]
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...(steered ? [`#EXT-X-CONTENT-STEERING:SERVER-URI="steering.json",PATHWAY-ID="${herePathway}"`] : []),
    ...soundsOf(format).map(soundTag),
    ...pictures,
    ...(format.audioOnly ? variant('audio', sound) : []),
    '',
  ].join('\n')
}
