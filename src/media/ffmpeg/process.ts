import { PassThrough, type Readable, type Writable } from 'node:stream'
import type { ChildProcess } from 'node:child_process'
import ffmpeg from 'fluent-ffmpeg'

/** Why an ffmpeg run ended by itself. */
export interface FfmpegExit {
  readonly _tag: 'FfmpegMissing' | 'FfmpegFailed' | 'FfmpegEnded'
  readonly message: string
  /** The last lines that it wrote, without noise. */
  readonly stderr: ReadonlyArray<string>
}

export interface FfmpegInput {
  /** A file name or address; null: the run's stdin. */
  readonly source: string | null
  readonly options: ReadonlyArray<string>
}

export interface FfmpegRun {
  readonly inputs: ReadonlyArray<FfmpegInput>
  readonly outputOptions: ReadonlyArray<string>
}

export interface FfmpegProcess {
  readonly pid: () => number | undefined
  /** Where input bytes go; ends at once when no input is stdin. */
  readonly stdin: Writable
  readonly stdout: Readable
  /** Resolves, never rejects, when the process has gone and its output has been read. */
  readonly exited: Promise<FfmpegExit>
  /** Ends stdin, asks to terminate, waits, then kills. Resolves when the process has gone. */
  readonly stop: (graceMs?: number) => Promise<void>
}

const stderrLinesMax = 20

// The types leave out the child process, which the library sets when it emits 'start'.
const childOf = (command: ffmpeg.FfmpegCommand): ChildProcess | undefined =>
  (command as { readonly ffmpegProc?: ChildProcess }).ffmpegProc

const exitOf = (error: Error | null, stderr: ReadonlyArray<string>): FfmpegExit => {
  if (error === null) return { _tag: 'FfmpegEnded', message: 'ffmpeg came to the end of its input', stderr }
  if (/cannot find ffmpeg|ENOENT/i.test(error.message)) {
    return { _tag: 'FfmpegMissing', message: 'ffmpeg was not found: install it, or set FFMPEG_PATH', stderr }
  }
  // The library has put ffmpeg's own last words into its message, on lines of their own.
  const message = error.message.replace(/[\s:]*\n[\s:]*/g, '; ').replace(/[;:\s]+$/, '')
  return { _tag: 'FfmpegFailed', message: message.slice(0, 500), stderr }
}

/**
 * Runs ffmpeg through fluent-ffmpeg with at most one input from stdin and one output on stdout. Errors never throw:
 * they end up in `exited`.
 */
export const runFfmpeg = ({ inputs, outputOptions }: FfmpegRun): FfmpegProcess => {
  const stdin = new PassThrough({ highWaterMark: 64 * 1024 })
  const stdout = new PassThrough({ highWaterMark: 64 * 1024, autoDestroy: false })
  const stderr: string[] = []
  const command = ffmpeg({ stdoutLines: stderrLinesMax })
  for (const { source, options } of inputs) {
    // One argument would be split at its space; several are taken as they are.
    command.input(source ?? stdin).inputOptions(...['-hide_banner', ...options])
  }
  command.outputOptions(...outputOptions).output(stdout, { end: true })
  let stopping = false
  let child: ChildProcess | undefined
  let gone = false
  const exited = new Promise<FfmpegExit>((resolve) => {
    const settle = (error: Error | null): void => {
      gone = true
      const finish = (): void => resolve(exitOf(error, stderr))
      // The process is gone, but what it wrote may still be on its way through the pipe.
      if (child === undefined || stdout.readableEnded || stopping) finish()
      else {
        stdout.once('end', finish)
        setTimeout(finish, 500).unref()
      }
      if (child === undefined) stdout.end()
    }
    command.on('start', () => {
      child = childOf(command)
      if (stopping) child?.kill('SIGKILL')
    })
    command.on('stderr', (line: string) => {
      stderr.push(line)
      if (stderr.length > stderrLinesMax) stderr.shift()
    })
    command.on('error', (error: Error) => settle(error))
    command.on('end', () => settle(null))
  })
  stdin.on('error', () => undefined)
  command.run()
  return {
    pid: () => child?.pid,
    stdin,
    stdout,
    exited,
    stop: async (graceMs = 300) => {
      stopping = true
      stdin.end()
      stdout.resume()
      if (!gone) {
        // Term at once when there is no input whose end ffmpeg could notice.
        if (inputs.every(({ source }) => source !== null)) child?.kill('SIGTERM')
        const kill = setTimeout(() => child?.kill('SIGKILL'), graceMs)
        await exited
        clearTimeout(kill)
      }
    },
  }
}

/** Runs the library's capability query, which otherwise delays the first encoder by some 400 ms. */
export const warmUpFfmpeg = async (): Promise<void> => {
  const ask = (query: (done: (error: unknown) => void) => void): Promise<void> =>
    new Promise((resolve) => query(() => resolve()))
  await ask((done) => ffmpeg.getAvailableFormats(done))
  await ask((done) => ffmpeg.getAvailableEncoders(done))
}
