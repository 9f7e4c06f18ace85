import { execFile } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { explainMissingTool, findTool, type FindToolOptions } from './findTool.js'

/** An ffmpeg that can do what Segue asks of it. */
export interface Ffmpeg {
  readonly path: string
  /** As ffmpeg prints it: `5.1.9-0+deb12u1`, `n7.1`, `N-112233-gabcdef`. */
  readonly version: string
}

export type FfmpegError =
  | { readonly _tag: 'FfmpegMissing'; readonly message: string }
  | { readonly _tag: 'FfmpegBroken'; readonly path: string; readonly message: string }
  | {
      readonly _tag: 'FfmpegLacksEncoders'
      readonly path: string
      readonly version: string
      readonly missingEncoders: ReadonlyArray<string>
      readonly message: string
    }

/** libx264 for the byte-identical video of two servers; aac because audio is encoded once, at ingest. */
export const requiredEncoders: ReadonlyArray<string> = ['libx264', 'aac']

const askTimeoutMs = 20_000
const outputBytesMax = 4 * 1024 * 1024

/**
 * Finds ffmpeg (FFMPEG_PATH, then PATH) and asks it for its version and encoders. Costs one process, about 50 ms: call it
 * once, at start-up, so that a machine that cannot encode says so at once and not when the first stream opens.
 */
export function checkFfmpeg(options: FindToolOptions = {}): TaskEither<FfmpegError, Ffmpeg> {
  return async () => {
    const path = findTool('ffmpeg', options)
    if (path === undefined) {
      return E.left({ _tag: 'FfmpegMissing', message: explainMissingTool('ffmpeg', options.env) })
    }
    const answer = await askEncoders(path)
    return E.isLeft(answer) ? answer : judge(path, answer.right)
  }
}

/** The ffprobe that belongs to an ffmpeg: FFPROBE_PATH, the one beside it, or one on PATH; undefined when there is none. */
export function findFfprobe(ffmpegPath: string, options: FindToolOptions = {}): string | undefined {
  const { env = process.env } = options
  if ((env.FFPROBE_PATH ?? '') !== '') return findTool('ffprobe', options)
  return findTool('ffprobe', {
    ...options,
    env: { ...env, PATH: `${dirname(ffmpegPath)}${delimiter}${env.PATH ?? ''}` },
  })
}

interface Answer {
  readonly banner: string
  readonly encoders: string
}

function askEncoders(path: string): Promise<E.Either<FfmpegError, Answer>> {
  return new Promise((resolve) => {
    const limits = { timeout: askTimeoutMs, maxBuffer: outputBytesMax, killSignal: 'SIGKILL' } as const
    execFile(path, ['-nostdin', '-encoders'], limits, (error, stdout, stderr) => {
      if (error === null) return resolve(E.right({ banner: stderr, encoders: stdout }))
      const why = error.killed === true ? `no answer within ${askTimeoutMs} ms` : (lastLine(stderr) ?? error.message)
      resolve(E.left({ _tag: 'FfmpegBroken', path, message: `${path} does not run: ${why}` }))
    })
  })
}

function judge(path: string, { banner, encoders }: Answer): E.Either<FfmpegError, Ffmpeg> {
  const version = /^ffmpeg version (\S+)/m.exec(banner)?.[1] ?? 'unknown'
  const offered = new Set(Array.from(encoders.matchAll(/^ [VAS]\S{5} (\S+)/gm), (match) => match[1]))
  const missingEncoders = requiredEncoders.filter((encoder) => !offered.has(encoder))
  if (missingEncoders.length === 0) return E.right({ path, version })
  const lacking = `${path} (version ${version}) was built without ${missingEncoders.join(' and ')}`
  const advice = 'install a full build of ffmpeg, or set FFMPEG_PATH to one'
  const message = `${lacking}; ${advice}`
  return E.left({ _tag: 'FfmpegLacksEncoders', path, version, missingEncoders, message })
}

const lastLine = (text: string): string | undefined => text.trim().split('\n').at(-1) || undefined
