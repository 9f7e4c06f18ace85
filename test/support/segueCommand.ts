import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FleetResult } from '../../src/runtime/fleet/index.js'
import { hasNatsServer } from './natsServer.js'
import { waitFor } from './waitFor.js'

/** The file behind the command `segue`. */
export const segueProgram = fileURLToPath(new URL('../../bin/segue.mjs', import.meta.url))

/** Why a whole fleet cannot run here; false when it can. */
export const fleetObstacle: string | false =
  spawnSync('ffmpeg', ['-version'], { stdio: 'ignore' }).error !== undefined
    ? 'ffmpeg is not installed'
    : !hasNatsServer && 'nats-server is not installed'

/** Compiles what has changed, as the command itself would: for tests that start a fleet without it. */
export const buildSegue = (): void =>
  void execFileSync(process.execPath, [segueProgram, '--version'], { stdio: 'pipe' })

export interface SegueRun {
  readonly pid: number
  readonly stdout: () => string
  readonly stderr: () => string
  readonly kill: (signal: NodeJS.Signals) => void
  /** Resolves when the command has ended. */
  readonly exited: Promise<number | null>
  /** All processes that were ever seen below a fleet and still live. */
  readonly leftOvers: () => ReadonlyArray<number>
}

/** Runs `segue` as a person does, in a process of its own. Standard output and error are pipes. */
export function runSegue(args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): SegueRun {
  const child = spawn(process.execPath, [segueProgram, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  const seen = new Set<number>()
  // Only a fleet starts processes that could outlive it, and to look costs time.
  const look = (): void => descendantsOf(child).forEach((pid) => seen.add(pid))
  const watch = args[0] === 'up' ? setInterval(look, 500) : undefined
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  void exited.then(() => clearInterval(watch))
  return {
    pid: child.pid ?? 0,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    kill: (signal) => void child.kill(signal),
    exited,
    leftOvers: () => [...seen].filter(isAlive),
  }
}

function descendantsOf({ pid }: ChildProcess): ReadonlyArray<number> {
  const rows = processes()
  const below = (parent: number): ReadonlyArray<number> =>
    rows.filter((row) => row.parent === parent).flatMap((row) => [row.pid, ...below(row.pid)])
  return pid === undefined ? [] : below(pid)
}

const processes = () =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    // What has ended and only waits for its parent to take note is gone for our purpose.
    .filter(([, , state]) => state?.startsWith('Z') === false)
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }))

const isAlive = (pid: number): boolean => processes().some((row) => row.pid === pid)

export interface FleetRun {
  readonly status: number | null
  readonly result: FleetResult
  readonly dataDir: string
  /** What it told while it ran. */
  readonly told: string
}

let nextPort = 12_000 + (process.pid % 40) * 400

/** A range of ports that no other run of these tests uses; below those that the kernel gives out. */
export const portForFleet = (): string => String((nextPort += 10))

/**
 * Runs `segue up --json` to its end in a folder of its own, and hands back what it printed. Fails when a process is left.
 */
export async function runFleetOnce(
  args: ReadonlyArray<string>,
  during: (run: SegueRun) => Promise<void> = async () => undefined,
): Promise<FleetRun> {
  const dataDir = await mkdtemp(join(tmpdir(), 'segue-fleet-'))
  const run = runSegue(['up', '--json', '--port', portForFleet(), '--data', dataDir, ...args])
  try {
    await Promise.race([during(run), run.exited])
    const status = await run.exited
    await waitFor(() => run.leftOvers().length === 0, {
      timeoutMs: 5_000,
      everyMs: 100,
      describe: () => `the end of processes ${run.leftOvers().join(', ')}`,
    })
    const last = run.stdout().trimEnd().split('\n').at(-1) ?? ''
    if (!last.startsWith('{')) throw new Error(`no result in the last line; status ${status}\n${run.stderr()}`)
    return { status, result: JSON.parse(last) as FleetResult, dataDir, told: run.stderr() }
  } finally {
    run.kill('SIGKILL')
    await rm(dataDir, { recursive: true, force: true })
  }
}
