/** What was asked for cannot be done; the message says what, where and what to do. Ends the command with status 2. */
export class UsageError extends Error {
  readonly _tag = 'UsageError'
}

/** Exit statuses of all commands. */
export const statusOk = 0
export const statusFailed = 1
export const statusUsage = 2
