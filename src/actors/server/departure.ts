import type { ServerState } from './state.js'

/** How a process ends that was not asked to: by a signal that is no request, or with an exit code. */
const disorderly = /^(SIG(?!TERM|INT|HUP)[A-Z0-9]+|exit code (?!0$).*)$/

/**
 * Whether the reason of a `ServerLeft` says that the process was asked to end. Such an end says nothing about the health of
 * its machine: it confirms no alarm, and is no incident.
 */
export const isOrderly = (reason: string): boolean => !disorderly.test(reason)

/** Whether a boot has said good-bye in order; false for an unknown one. */
export const hasLeftInOrder = ({ leftInOrder }: Pick<ServerState, 'leftInOrder'>, boot: string | null): boolean =>
  leftInOrder !== null && leftInOrder === boot
