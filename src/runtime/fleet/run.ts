import { untilAskedToStop } from '../process/lifecycle.js'
import { untilOver } from './duration.js'
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
      await untilOver(fleet, {
        asked: Promise.race([stop.asked, reader.unread]),
        durationMs: options.durationMs,
      })
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
