import type { Handover, StreamState } from './state.js'

/** Names the time by which the announced cut-over must be reached, and the task of reaching it. */
export const cutoverDeadlineKey = (handover: Handover): string => `${handover.id}-k${handover.cutover?.epoch ?? 0}`

/** Names the time by which the old primary must have drained, and the task of draining; null when none retires. */
export const drainDeadlineKey = (state: StreamState): string | null =>
  state.retiring === null ? null : `${state.stream}-e${state.retiring.epoch}-drain`

/** Names the moment at which a reason to leave is followed again after a handover was aborted; null: none waits. */
export const retryKey = ({ stream, unmet, handoversStarted }: StreamState): string | null =>
  unmet === null || unmet.retryAt === null ? null : `${stream}-h${handoversStarted}-again`
