import * as E from 'fp-ts/lib/Either.js'
import { StreamFormat, type Sound } from '../events/catalogue/format.js'
import type { Track, TrackName } from './segment.js'

export { StreamFormat }

/** 90 kHz media-time ticks, absolute and unwrapped (a JS number < 2^53). Tick 0 is the unix epoch. */
export type MediaTicks = number

export const ticksPerSecond = 90_000
/** One AAC frame: 1024 samples at 48 kHz, in 90 kHz ticks. */
export const audioFrameTicks = 1920
export const segmentMsMin = 200
export const segmentMsMax = 500
/** Pictures that one encoder makes at most. */
export const renditionsMax = 6
/** Sound tracks that a stream has at most. */
export const soundsMax = 8

/** Why a stream format cannot be used; `message` names the nearest legal values. */
export interface FormatError {
  readonly _tag: 'FormatError'
  readonly message: string
}

export interface FormatRequest {
  /** Frames per second: a number (29.97 and its kin are understood) or an exact fraction. */
  readonly fps: number | { readonly num: number; readonly den: number }
  /** Length of a segment; at most one of segmentMs and gopFrames. */
  readonly segmentMs?: number
  readonly gopFrames?: number
  readonly height: number
  readonly width?: number | null
  /** x264 constant rate factor, 0 (lossless) to 51; default 28. */
  readonly crf?: number
  /** x264 preset; default veryfast. */
  readonly preset?: string
  /** Heights of further pictures, each below `height`. */
  readonly smaller?: ReadonlyArray<number>
  /** Whether playlists offer the sound alone; default false. */
  readonly audioOnly?: boolean
  /** Of the source's sound tracks, in their order; default: the first one, of which nothing is said. */
  readonly sounds?: ReadonlyArray<SoundRequest>
}

export interface SoundRequest {
  /** Language tag (RFC 5646), as `de` or `pt-BR`. */
  readonly language: string
  /** What viewers choose it by; default: what the language calls itself. */
  readonly name?: string
}

const presets = ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium', 'slow', 'slower', 'veryslow']

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
const lcm = (a: number, b: number): number => (a / gcd(a, b)) * b

const refuse = (message: string): E.Either<FormatError, never> => E.left({ _tag: 'FormatError', message })

const rateOf = (fps: FormatRequest['fps']): { readonly num: number; readonly den: number } | null => {
  if (typeof fps !== 'number') {
    if (!Number.isInteger(fps.num) || !Number.isInteger(fps.den) || fps.num <= 0 || fps.den <= 0) return null
    const divisor = gcd(fps.num, fps.den)
    return { num: fps.num / divisor, den: fps.den / divisor }
  }
  if (!Number.isFinite(fps) || fps <= 0) return null
  if (Number.isInteger(fps)) return { num: fps, den: 1 }
  const ntsc = Math.ceil(fps)
  return Math.abs((ntsc * 1000) / 1001 - fps) < 0.01 ? { num: ntsc * 1000, den: 1001 } : null
}

/** Group lengths, in frames, that make a legal segment at this rate: whole in ticks and 200 to 500 ms. */
const legalGops = (num: number, den: number): ReadonlyArray<number> => {
  const legal: number[] = []
  for (let gop = 1; (gop * den * 1000) / num <= segmentMsMax; gop += 1) {
    const whole = (gop * ticksPerSecond * den) % num === 0
    if (whole && (gop * den * 1000) / num >= segmentMsMin) legal.push(gop)
  }
  return legal
}

const phaseOf = (gop: number): number => lcm(32, 2 * gop)

/** The group whose start-up phase is shortest, then the one nearest to 320 ms. */
const defaultGop = (gops: ReadonlyArray<number>, num: number, den: number): number =>
  [...gops].sort((a, b) => {
    const nearness = (gop: number): number => Math.abs((gop * den * 1000) / num - 320)
    return phaseOf(a) - phaseOf(b) || nearness(a) - nearness(b)
  })[0] ?? 0

const canonicalTag = (tag: string): string | null => {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null
  } catch {
    return null
  }
}

/** Sound tracks with names that differ, as players ask for (RFC 8216, 4.3.4.1.1). */
const soundsFor = (requests: ReadonlyArray<SoundRequest>): E.Either<FormatError, ReadonlyArray<Sound>> => {
  if (requests.length > soundsMax) {
    return refuse(`${requests.length} sound tracks are too many: a stream has at most ${soundsMax}`)
  }
  const sounds: Sound[] = []
  for (const [index, { language: tag, name: given }] of requests.entries()) {
    const language = canonicalTag(tag)
    if (language === null) return refuse(`"${tag}" is no language tag: give one such as en, de or pt-BR`)
    const wanted = given ?? new Intl.DisplayNames([language], { type: 'language' }).of(language) ?? language
    if (wanted === '' || /["\p{Cc}]/u.test(wanted)) {
      return refuse(`the name of sound track ${index + 1} must not be empty or hold quotes or line breaks`)
    }
    const isTaken = (name: string): boolean => sounds.some((sound) => sound.name === name)
    sounds.push({
      ...{ id: index === 0 ? 'audio' : `audio-${index + 1}`, language },
      name: isTaken(wanted) ? `${wanted} ${index + 1}` : wanted,
    })
  }
  return E.right(sounds)
}

const nearestTo = (gops: ReadonlyArray<number>, wanted: number, num: number, den: number): string =>
  [...gops]
    .sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted))
    .slice(0, 2)
    .sort((a, b) => a - b)
    .map((gop) => `${gop} frames (${Number(((gop * den * 1000) / num).toFixed(2))} ms)`)
    .join(' or ')

/** Makes and validates a stream format: a segment is a whole number of frames and of ticks, 200 to 500 ms long. */
export const formatFor = (request: FormatRequest): E.Either<FormatError, StreamFormat> => {
  const { height, width = null, crf = 28, preset = 'veryfast', smaller = [], audioOnly = false } = request
  const rate = rateOf(request.fps)
  if (rate === null || rate.num / rate.den > 120) {
    return refuse(
      `frame rate ${JSON.stringify(request.fps)} is not usable: give a whole number up to 120, 23.976, 29.97 or 59.94, or {num, den}`,
    )
  }
  const { num, den } = rate
  const gops = legalGops(num, den)
  if (gops.length === 0) {
    return refuse(
      `at ${num}/${den} frames per second no segment of ${segmentMsMin}-${segmentMsMax} ms is a whole number of frames and ticks: use another frame rate`,
    )
  }
  if (request.segmentMs !== undefined && request.gopFrames !== undefined) {
    return refuse('give either the segment length in ms or the group length in frames, not both')
  }
  const exact =
    request.gopFrames ??
    (request.segmentMs === undefined ? defaultGop(gops, num, den) : (request.segmentMs * num) / (den * 1000))
  const gopFrames = Math.round(exact)
  const offByMs = (Math.abs(exact - gopFrames) * den * 1000) / num
  // Half a millisecond of slack, so that 333 ms means the 333.33 ms that eight frames take at 24 fps.
  if (!gops.includes(gopFrames) || !(offByMs <= 0.5)) {
    const asked = request.gopFrames === undefined ? `${request.segmentMs} ms` : `${request.gopFrames} frames`
    return refuse(
      `a segment of ${asked} at ${num}/${den} frames per second is not possible: it must be a whole number of frames and last ${segmentMsMin}-${segmentMsMax} ms; nearest: ${nearestTo(gops, exact, num, den)}`,
    )
  }
  const evenSize = (size: number): boolean => Number.isInteger(size) && size >= 16 && size <= 8192 && size % 2 === 0
  if (!evenSize(height)) return refuse(`height ${height} is not usable: give an even number from 16 to 8192`)
  if (width !== null && !evenSize(width))
    return refuse(`width ${width} is not usable: give an even number from 16 to 8192`)
  for (const [index, each] of smaller.entries()) {
    if (!evenSize(each)) return refuse(`height ${each} is not usable: give an even number from 16 to 8192`)
    const above = index === 0 ? height : (smaller[index - 1] ?? height)
    if (each >= above) return refuse(`rendition ${each}p is not below ${above}p: give each height once, largest first`)
  }
  if (smaller.length >= renditionsMax) {
    return refuse(`${smaller.length + 1} renditions are too many: one encoder makes at most ${renditionsMax}`)
  }
  if (!(crf >= 0 && crf <= 51)) return refuse(`crf ${crf} is not usable: give a number from 0 to 51`)
  if (!presets.includes(preset))
    return refuse(`preset ${preset} is not known to x264: use one of ${presets.join(', ')}`)
  const sounds = soundsFor(request.sounds ?? [])
  if (E.isLeft(sounds)) return sounds
  return E.right({
    frameRate: { num, den },
    gopFrames,
    segmentTicks: (gopFrames * ticksPerSecond * den) / num,
    width,
    height,
    crf,
    preset,
    sampleRate: 48000,
    channels: 2,
    renditions: smaller.map((each) => ({
      ...{ id: `v${each}`, height: each, crf, preset },
      width: width === null ? null : Math.round((width * each) / height / 2) * 2,
    })),
    audioOnly,
    sounds: sounds.right,
  })
}

/** Names of a stream's tracks, in the order in which an encoder writes them. */
export const trackNames = ({
  renditions,
  sounds,
}: Pick<StreamFormat, 'renditions' | 'sounds'>): ReadonlyArray<TrackName> => [
  ...['video', 'audio'],
  ...[...renditions, ...sounds.slice(1)].map(({ id }) => id),
]

export const kindOf = (name: TrackName): Track => (/^audio(-|$)/.test(name) ? 'audio' : 'video')

/** How many sound tracks a stream has: at least one. */
export const soundCount = ({ sounds }: Pick<StreamFormat, 'sounds'>): number => Math.max(1, sounds.length)

/** Frames between two points where an encoder may start and give the same bytes: x264 with CABAC repeats every 32 frames and every second IDR. */
export const phaseFrames = (format: StreamFormat): number => phaseOf(format.gopFrames)

/** The same in ticks; whole, because it is a whole number of segments. */
export const phaseTicks = (format: StreamFormat): MediaTicks =>
  (phaseFrames(format) / format.gopFrames) * format.segmentTicks

/** The number of the segment that an instant belongs to. */
export const segmentNumberAt = (ticks: MediaTicks, format: StreamFormat): number =>
  Math.floor(ticks / format.segmentTicks)

/** When an absolute frame starts. Counted from its segment, because frame * 90000 * den leaves the safe integers. */
export const ticksOfFrame = (frame: number, format: StreamFormat): MediaTicks => {
  const segment = Math.floor(frame / format.gopFrames)
  const within = frame - segment * format.gopFrames
  return (
    segment * format.segmentTicks + Math.round((within * ticksPerSecond * format.frameRate.den) / format.frameRate.num)
  )
}

/** The absolute frame whose start is nearest to an instant. */
export const frameAt = (ticks: MediaTicks, format: StreamFormat): number => {
  const segment = Math.floor(ticks / format.segmentTicks)
  const within = ticks - segment * format.segmentTicks
  return (
    segment * format.gopFrames + Math.round((within * format.frameRate.num) / (ticksPerSecond * format.frameRate.den))
  )
}

export const ticksOfMs = (ms: number): MediaTicks => Math.round(ms * 90)
export const msOfTicks = (ticks: MediaTicks): number => ticks / 90
