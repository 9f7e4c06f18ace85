import type { ChildProcess } from 'node:child_process'
import ffmpeg from 'fluent-ffmpeg'
import { openInput, openOutput, type FfmpegInputPipe, type FfmpegOutputPipe } from './pipes.js'

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
  /** Where input bytes go; unused when no input is stdin. */
  readonly stdin: FfmpegInputPipe
  readonly stdout: FfmpegOutputPipe
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
  const stdin = openInput()
  const stdout = openOutput()
  const stderr: string[] = []
  const command = ffmpeg({ stdoutLines: stderrLinesMax })
  for (const { source, options } of inputs) {
    // One argument would be split at its space; several are taken as they are.
    command.input(source ?? 'pipe:0').inputOptions(...['-hide_banner', ...options])
  }
  // Pipes by name, not as streams: the library would put every byte through streams of its own.
  command.outputOptions(...outputOptions).output('pipe:1')
  let stopping = false
  let child: ChildProcess | undefined
  let gone = false
  const exited = new Promise<FfmpegExit>((resolve) => {
    const settle = (error: Error | null): void => {
      gone = true
      resolve(exitOf(error, stderr))
    }
    command.on('start', () => {
      child = childOf(command)
      stdin.connect(child?.stdin ?? null)
      stdout.connect(child?.stdout ?? null)
      child?.once('exit', stdout.release)
      if (stopping) child?.kill('SIGKILL')
    })
    command.on('stderr', (line: string) => {
      stderr.push(line)
      if (stderr.length > stderrLinesMax) stderr.shift()
    })
    command.on('error', (error: Error) => settle(error))
    // Told once the process has gone and its output has been read.
    command.on('end', () => settle(null))
  })
  command.run()
  return {
    pid: () => child?.pid,
    stdin,
    stdout,
    exited,
    stop: async (graceMs = 300) => {
      stopping = true
      stdin.end()
      stdout.discard()
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
