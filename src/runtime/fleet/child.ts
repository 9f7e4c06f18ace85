import { fork, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { readChildMessage, supervisedVariable, type ChildMessage } from '../process/supervision.js'

export interface ChildSpec {
  /** What it is in the fleet, such as `control` or `s1`. */
  readonly role: string
  /** Program to run with this Node, and its arguments. */
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
  /** Started in place of this Node; see Place. */
  readonly launcher?: string
  /** Takes what it writes on standard output and error. */
  readonly logFile: string
  readonly onMessage: (message: ChildMessage) => void
  readonly now: () => number
}

export interface ChildReady {
  readonly url: string | null
  readonly bootId: string | null
}

export interface ChildExit {
  readonly at: number
  /** Such as `SIGKILL` or `exit code 1`. */
  readonly how: string
  /** Whether it was asked to end. */
  readonly asked: boolean
}

export interface Child {
  readonly role: string
  readonly pid: number
  readonly startedAt: number
  /** Rejects with ChildFailed when it ends before it is ready. */
  readonly ready: Promise<ChildReady>
  readonly exited: Promise<ChildExit>
  readonly kill: (signal: NodeJS.Signals) => void
  /** Asks it to end, also when it was suspended; insists after `graceMs`. */
  readonly stop: (graceMs?: number) => Promise<ChildExit>
}

/** A process of the fleet could not start. `code` is its own, such as `port-in-use`, if it gave one. */
export class ChildFailed extends Error {
  readonly _tag = 'ChildFailed'
  constructor(
    readonly role: string,
    readonly code: string | null,
    message: string,
  ) {
    super(message)
  }
}

const stopGraceMs = 5_000

/**
 * Starts a process of the fleet in a process group of its own, so that Ctrl-C in the terminal reaches the fleet alone. It
 * ends by itself when this process is gone: the channel between them breaks.
 */
export function startChild(spec: ChildSpec): Child {
  const log = openSync(spec.logFile, 'a')
  const startedAt = spec.now()
  const process = fork(spec.program, spec.args, {
    env: { ...spec.env, [supervisedVariable]: '1' },
    detached: true,
    execArgv: [],
    ...(spec.launcher === undefined ? {} : { execPath: spec.launcher }),
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  let asked = false
  let failure: { readonly code: string | null; readonly message: string } | null = null
  const exited = exitOf(process, spec.now).then((exit) => ({ ...exit, asked }))
  const ready = new Promise<ChildReady>((resolve, reject) => {
    process.on('message', (data) => {
      const message = readChildMessage(data)
      if (message?.type === 'ready') resolve({ url: message.url, bootId: message.bootId })
      if (message?.type === 'failed') failure = message
      if (message !== null) spec.onMessage(message)
    })
    void exited.then(async ({ how }) => {
      const message = failure?.message ?? (await lastWords(spec.logFile)) ?? `ended before it was ready (${how})`
      reject(new ChildFailed(spec.role, failure?.code ?? null, message))
    })
  })
  // Whoever does not wait for it learns of the end by `exited`.
  ready.catch(() => undefined)
  const kill = (signal: NodeJS.Signals): void => void process.kill(signal)
  return {
    role: spec.role,
    pid: process.pid ?? 0,
    startedAt,
    ready,
    exited,
    kill,
    stop: async (graceMs = stopGraceMs) => {
      asked = true
      kill('SIGTERM')
      // A suspended process takes the signal above when it goes on.
      kill('SIGCONT')
      const insist = setTimeout(() => kill('SIGKILL'), graceMs)
      const exit = await exited
      clearTimeout(insist)
      return exit
    },
  }
}

function exitOf(process: ChildProcess, now: () => number): Promise<Omit<ChildExit, 'asked'>> {
  return new Promise((resolve) => {
    process.once('exit', (code, signal) => resolve({ at: now(), how: signal ?? `exit code ${code}` }))
    process.once('error', (error) => {
      if (process.pid === undefined) resolve({ at: now(), how: error.message })
    })
  })
}

/** The line that a process wrote last, for one that gave no reason. */
async function lastWords(logFile: string): Promise<string | undefined> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  return text
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => /\berror\b/i.test(line))
}
