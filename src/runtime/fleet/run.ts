import { untilAskedToStop } from '../process/lifecycle.js'
import type { Fleet, FleetOutcome } from './fleet.js'
import { startFleet } from './localFleet.js'
import type { FleetOptions } from './options.js'
import { faultsOf } from './result.js'
import { showFleet, type FleetDisplay } from './terminal/display.js'
import type { TerminalOutput } from './terminal/screen.js'
import { summaryLines } from './terminal/summary.js'
import { untilUnread } from './unread.js'

export type Output = TerminalOutput & { readonly isTTY?: boolean }

export interface RunFleetOptions {
  readonly fleet: FleetOptions
  /** How long to go on after the first segment has played; null: until somebody asks for the end, or reads no more. */
  readonly durationMs: number | null
  /** Print the result as one JSON object, and everything else on standard error. */
  readonly json: boolean
  readonly stdout: Output
  readonly stderr: Output
  readonly env: NodeJS.ProcessEnv
}

/** A fleet whose first segment has not played by then is not going to. */
const startMsMax = 60_000

/** Runs a fleet, shows it, and prints what it has shown. Resolves to the exit status. */
export async function runFleet(options: RunFleetOptions): Promise<number> {
  const { json, stdout, stderr, env } = options
  const output = json ? stderr : stdout
  const stop = untilAskedToStop({ info: () => undefined, warn: () => undefined })
  const reader = untilUnread(stdout)
  let display: FleetDisplay | undefined
  try {
    const fleet = await startFleet(options.fleet)
    try {
      display = showFleet(fleet, { output, env })
      await untilOver(fleet, Promise.race([stop.asked, reader.unread]), options.durationMs)
    } catch (error) {
      await fleet.release()
      throw error
    }
    const outcome = await fleet.stop()
    display.close()
    display = undefined
    return report(outcome, fleet, options, output)
  } finally {
    display?.close()
    stop.release()
    reader.release()
  }
}

async function untilOver(fleet: Fleet, asked: Promise<unknown>, durationMs: number | null): Promise<void> {
  const timers: NodeJS.Timeout[] = []
  const after = (ms: number): Promise<'time is up'> =>
    new Promise((resolve) => timers.push(setTimeout(() => resolve('time is up'), ms)))
  try {
    const begun = await Promise.race([
      fleet.playing,
      asked.then(() => 'asked' as const),
      fleet.broken,
      after(startMsMax),
    ])
    if (typeof begun === 'string') return
    await Promise.race([asked, ...(durationMs === null ? [] : [after(durationMs)])])
  } finally {
    for (const timer of timers) clearTimeout(timer)
  }
}

function report(
  { result, replay }: FleetOutcome,
  fleet: Fleet,
  { json, stdout }: RunFleetOptions,
  output: Output,
): number {
  for (const line of summaryLines({ result, replay, dataDir: fleet.dataDir })) output.write(`${line}\n`)
  if (json) stdout.write(`${JSON.stringify(result)}\n`)
  return faultsOf(result).length === 0 ? 0 : 1
}
