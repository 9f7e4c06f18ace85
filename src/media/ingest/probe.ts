import * as E from 'fp-ts/lib/Either.js'
import ffmpeg from 'fluent-ffmpeg'
import { ingestError, type IngestError } from './errors.js'

/** What ingest must know about a source before it starts. */
export interface SourceFacts {
  /** Display size: pixel aspect and rotation applied. */
  readonly width: number
  readonly height: number
  readonly interlaced: boolean
  /** Null for a live source. */
  readonly durationSeconds: number | null
}

const ratioOf = (text: string | undefined): number => {
  const [, num, den] = /^(\d+):(\d+)$/.exec(text ?? '') ?? []
  const ratio = Number(num) / Number(den)
  return Number.isFinite(ratio) && ratio > 0 ? ratio : 1
}

const rotationOf = (stream: ffmpeg.FfprobeStream): number => {
  const sides: unknown = stream['side_data_list']
  const fromSides = Array.isArray(sides) ? sides.map((side: { rotation?: unknown }) => Number(side.rotation ?? 0)) : []
  const tags: { readonly rotate?: unknown } | undefined = stream['tags']
  const found = [Number(stream.rotation ?? 0), Number(tags?.rotate ?? 0), ...fromSides].find(
    (angle) => Number.isFinite(angle) && angle !== 0,
  )
  return found ?? 0
}

const factsOf = (data: ffmpeg.FfprobeData): SourceFacts | null => {
  // Cover pictures in audio files are video streams too.
  const stream = data.streams.find(
    ({ codec_type, disposition }) => codec_type === 'video' && disposition?.['attached_pic'] !== 1,
  )
  if (stream === undefined || !((stream.width ?? 0) > 0) || !((stream.height ?? 0) > 0)) return null
  const width = Math.round((stream.width ?? 0) * ratioOf(stream.sample_aspect_ratio))
  const height = stream.height ?? 0
  const turned = Math.abs(rotationOf(stream)) % 180 === 90
  const duration = Number(data.format.duration)
  return {
    width: turned ? height : width,
    height: turned ? width : height,
    interlaced: /^(tt|bb|tb|bt)$/.test(String(stream.field_order ?? '')),
    durationSeconds: Number.isFinite(duration) && duration > 0 ? duration : null,
  }
}

const linesOf = (message: string): ReadonlyArray<string> =>
  message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(ffprobe (version|exited)|built with|configuration:|lib\w+ +\d)/.test(line))
    .slice(-4)

/** Asks ffprobe about a file or address. `SourceUnreadable` says what ffprobe had against it. */
export const probeSource = (name: string, timeoutMs = 10_000): Promise<E.Either<IngestError, SourceFacts>> =>
  new Promise((resolve) => {
    const unreadable = (message: string, detail: ReadonlyArray<string> = []): void =>
      resolve(E.left(ingestError('SourceUnreadable', message, detail)))
    const timer = setTimeout(() => unreadable(`${name} gave no media within ${timeoutMs} ms`), timeoutMs)
    ffmpeg.ffprobe(
      name,
      ['-hide_banner', '-rw_timeout', '5000000', '-analyzeduration', '2000000'],
      (error: unknown, data) => {
        clearTimeout(timer)
        if (error !== null && error !== undefined) {
          const message = error instanceof Error ? error.message : String(error)
          if (/cannot find ffprobe|ENOENT/i.test(message)) {
            return resolve(
              E.left(ingestError('FfmpegMissing', 'ffprobe was not found: install ffmpeg, or set FFPROBE_PATH')),
            )
          }
          const lines = linesOf(message)
          return unreadable(`${name} cannot be read: ${lines[lines.length - 1] ?? message}`, lines)
        }
        const facts = factsOf(data)
        if (facts === null) return unreadable(`${name} holds no video`)
        resolve(E.right(facts))
      },
    )
  })
