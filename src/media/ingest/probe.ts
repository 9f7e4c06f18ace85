import { execFile } from 'node:child_process'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { findFfprobe } from '../ffmpegBinary.js'
import { findTool } from '../findTool.js'
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

/** What is used of what ffprobe tells. */
const Stream = t.partial({
  codec_type: t.string,
  width: t.number,
  height: t.number,
  sample_aspect_ratio: t.string,
  field_order: t.string,
  disposition: t.partial({ attached_pic: t.number }),
  tags: t.partial({ rotate: t.string }),
  side_data_list: t.readonlyArray(t.partial({ rotation: t.number })),
})
const Answer = t.type({ streams: t.readonlyArray(Stream), format: t.partial({ duration: t.string }) })

const rotationOf = ({ tags, side_data_list }: t.TypeOf<typeof Stream>): number => {
  const angles = [Number(tags?.rotate ?? 0), ...(side_data_list ?? []).map(({ rotation }) => rotation ?? 0)]
  return angles.find((angle) => Number.isFinite(angle) && angle !== 0) ?? 0
}

const factsOf = ({ streams, format }: t.TypeOf<typeof Answer>): SourceFacts | null => {
  // Cover pictures in audio files are video streams too.
  const stream = streams.find(
    ({ codec_type, disposition }) => codec_type === 'video' && disposition?.attached_pic !== 1,
  )
  if (stream === undefined || !((stream.width ?? 0) > 0) || !((stream.height ?? 0) > 0)) return null
  const width = Math.round((stream.width ?? 0) * ratioOf(stream.sample_aspect_ratio))
  const height = stream.height ?? 0
  const turned = Math.abs(rotationOf(stream)) % 180 === 90
  const duration = Number(format.duration)
  return {
    width: turned ? height : width,
    height: turned ? width : height,
    interlaced: /^(tt|bb|tb|bt)$/.test(stream.field_order ?? ''),
    durationSeconds: Number.isFinite(duration) && duration > 0 ? duration : null,
  }
}

const linesOf = (message: string): ReadonlyArray<string> =>
  message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(ffprobe (version|exited)|built with|configuration:|lib\w+ +\d)/.test(line))
    .slice(-4)

/** Asks ffprobe about a file or address; it is gone when this resolves. `SourceUnreadable` says what ffprobe had against it. */
export const probeSource = (name: string, timeoutMs = 10_000): Promise<E.Either<IngestError, SourceFacts>> =>
  new Promise((resolve) => {
    const unreadable = (message: string, detail: ReadonlyArray<string> = []): void =>
      resolve(E.left(ingestError('SourceUnreadable', message, detail)))
    const ffprobe = findFfprobe(findTool('ffmpeg') ?? '')
    const missing = ingestError('FfmpegMissing', 'ffprobe was not found: install ffmpeg, or set FFPROBE_PATH')
    if (ffprobe === undefined) return resolve(E.left(missing))
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: outputBytesMax } as const
    execFile(ffprobe, [...question, name], limits, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') return resolve(E.left(missing))
      if (error?.killed === true) return unreadable(`${name} gave no media within ${timeoutMs} ms`)
      if (error !== null) {
        const lines = linesOf(stderr)
        return unreadable(`${name} cannot be read: ${lines[lines.length - 1] ?? error.message}`, lines)
      }
      const answer = Answer.decode(parsed(stdout))
      if (E.isLeft(answer)) return unreadable(`${name}: ffprobe says nothing of it that can be understood`)
      const facts = factsOf(answer.right)
      if (facts === null) return unreadable(`${name} holds no video`)
      resolve(E.right(facts))
    })
  })

const outputBytesMax = 16 * 1024 * 1024
const question = [
  ...['-hide_banner', '-v', 'error', '-of', 'json', '-show_streams', '-show_format'],
  ...['-rw_timeout', '5000000', '-analyzeduration', '2000000'],
]

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
