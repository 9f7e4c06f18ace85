import * as E from 'fp-ts/lib/Either.js'
import { AccessUnitParser, type AccessUnit } from '../feed/ts/accessUnits.js'
import { runFfmpeg } from '../ffmpeg/process.js'
import type { StreamFormat } from '../format.js'
import { feedGopFrames, slateRun, type PictureSize } from './arguments.js'
import { ingestError, type IngestError } from './errors.js'

/** What is on air while the source is away: made once at the start, so that nothing must be spawned in the moment of trouble. */
export interface Slate {
  /** Coded frames to repeat in order; the first is a key frame. */
  readonly video: ReadonlyArray<AccessUnit>
  /** One silent audio frame. */
  readonly silence: AccessUnit
  readonly withText: boolean
}

const attempt = async (
  format: StreamFormat,
  size: PictureSize,
  withText: boolean,
): Promise<E.Either<IngestError, Slate>> => {
  const ffmpeg = runFfmpeg(slateRun(format, size, withText))
  const parser = new AccessUnitParser()
  const units: AccessUnit[] = []
  ffmpeg.stdout.onData((chunk) => units.push(...parser.push(chunk)))
  const timer = setTimeout(() => void ffmpeg.stop(), 20_000)
  const exit = await ffmpeg.exited
  clearTimeout(timer)
  units.push(...parser.end())
  if (exit._tag === 'FfmpegMissing') return E.left(ingestError('FfmpegMissing', exit.message))
  const video = units.filter(({ track }) => track === 'video')
  const audio = units.filter(({ track }) => track === 'audio')
  // From the middle, where the encoder has settled.
  const silence = audio[Math.floor(audio.length / 2)]
  if (exit._tag !== 'FfmpegEnded' || video.length !== 2 * feedGopFrames(format) || silence === undefined) {
    return E.left(ingestError('FfmpegUnusable', `ffmpeg could not make the slate: ${exit.message}`, exit.stderr))
  }
  return E.right({ video, silence, withText })
}

/** Encodes the slate, without text where ffmpeg cannot draw any (`withText` tells). */
export const makeSlate = async (format: StreamFormat, size: PictureSize): Promise<E.Either<IngestError, Slate>> => {
  const first = await attempt(format, size, true)
  return E.isLeft(first) && first.left._tag === 'FfmpegUnusable' ? attempt(format, size, false) : first
}
