import type { EventIn } from '../../events/index.js'
import type { ServerState } from './state.js'
import { keepEach, keepLast, type WithdrawalRule } from './withdrawal.js'

/** Streams are to leave a server. */
export interface Drain {
  /** The event that asked for it first: streams know it by this, however often it is asked for. */
  readonly id: string
  /** The boot that drains itself, and with which the drain ends; null: an operator's, which stands until it is cancelled. */
  readonly boot: string | null
}

type DrainEvent = Extract<EventIn<'server'>, { readonly type: 'DrainRequested' | 'DrainCancelled' | 'ServerJoined' }>

/**
 * What an event makes of a drain. An operator's wish over the server's own makes it the operator's; what a process says
 * of itself neither changes nor cancels that, and nothing that arrives of a process that is over begins a drain.
 * @param boot the present boot of the server; null: it has not joined
 */
export function drainAfter(drain: Drain | null, boot: string | null, event: DrainEvent): Drain | null {
  switch (event.type) {
    case 'DrainRequested': {
      const own = event.data.bootId
      if (own !== null && boot !== null && own !== boot) return drain
      if (drain === null) return { id: event.id, boot: own }
      return own === null ? { id: drain.id, boot: null } : drain
    }
    case 'DrainCancelled': {
      const own = event.data.bootId
      return own === null || own === bootOf(drain) ? null : drain
    }
    case 'ServerJoined': {
      const own = bootOf(drain)
      return own === null || own === event.data.bootId ? drain : null
    }
  }
}

/** Cuts that older rules have left know of no boots. */
const bootOf = (drain: Drain | null): string | null => drain?.boot ?? null

/** How a version of the rules applies what has to do with drains. */
export type DrainRule = (
  state: ServerState,
  event: DrainEvent,
) => Pick<ServerState, 'drain' | 'withdrawn' | 'withdrawals'>

const reasonOf = (event: DrainEvent): string =>
  event.type === 'ServerJoined' ? 'the process that drained is over' : `drain cancelled by ${event.data.by}`

const withdrawnBy =
  (withdraw: WithdrawalRule): DrainRule =>
  (state, event) => {
    const { drain: before, withdrawn, withdrawals } = state
    const drain = drainAfter(before, state.joined?.bootId ?? null, event)
    if (before === null || drain !== null) return { drain, withdrawn, withdrawals }
    const at = event.metadata.occurredAt
    return { drain, ...withdraw(state, { reference: before.id, reason: reasonOf(event), at }) }
  }

export const drainRule = withdrawnBy(keepEach)

/** Version 3 told of one end at a time. */
export const drainRuleV3 = withdrawnBy(keepLast)

/** Until version 2 the newest request replaced the one before, and every drain stood until somebody cancelled it. */
export const drainRuleV2: DrainRule = ({ drain, withdrawn, withdrawals }, event) => {
  switch (event.type) {
    case 'DrainRequested':
      return { drain: { id: event.id, boot: null }, withdrawn, withdrawals }
    case 'DrainCancelled':
      return {
        drain: null,
        withdrawn: drain === null ? null : { reference: drain.id, reason: reasonOf(event) },
        withdrawals,
      }
    case 'ServerJoined':
      return { drain, withdrawn, withdrawals }
  }
}
