import type { ServerState } from './state.js'

/** A reason to leave the server that is over: streams that hold it are told so. */
export interface Withdrawal {
  /** The event that asked them to leave. */
  readonly reference: string
  readonly reason: string
  /** Since when it is over, Unix milliseconds. */
  readonly at: number
}

/** Of a server; more in so short a time are never over but by a defect. */
const withdrawalsMax = 16
/** What is still on its way to a stream arrives within this time, or not at all. */
const toldForMs = 600_000

type Withdrawn = Pick<ServerState, 'withdrawn' | 'withdrawals'>

/** What a version of the rules makes of a reason that is over. */
export type WithdrawalRule = (state: ServerState, withdrawal: Withdrawal) => Withdrawn

/** Every end is told, whatever comes up or ends after it. */
export const keepEach: WithdrawalRule = ({ withdrawn, withdrawals }, withdrawal) => ({
  withdrawn,
  withdrawals: [...withdrawals, withdrawal].slice(-withdrawalsMax),
})

/** Until version 3 an end was told until the next one, or until another reason came up. */
export const keepLast: WithdrawalRule = ({ withdrawals }, { reference, reason }) => ({
  withdrawn: { reference, reason },
  withdrawals,
})

/** Without those that every stream has heard of long since; the same list when there are none. */
export function recentWithdrawals(withdrawals: ServerState['withdrawals'], now: number): ServerState['withdrawals'] {
  const isRecent = ({ at }: Withdrawal): boolean => now - at <= toldForMs
  return withdrawals.every(isRecent) ? withdrawals : withdrawals.filter(isRecent)
}
