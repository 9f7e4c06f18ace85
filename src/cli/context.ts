import type { Logger } from '../runtime/process/index.js'
import type { Output } from '../runtime/fleet/index.js'

/** What a command gets from outside. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv
  readonly stdout: Output
  readonly stderr: Output
  /** A logger for the part that this process is. */
  readonly logger: (part: string) => Logger
  /** Takes the exit status of the command. */
  readonly done: (status: number) => void
}
