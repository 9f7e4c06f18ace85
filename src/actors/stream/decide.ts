import type { EventIn } from '../../events/index.js'
import { Draft, type Decider } from '../decider.js'
import { isAheadOf } from './adoption.js'
import { chooseCutover, onCutoverReached } from './cutover.js'
import { cutoverDeadlineKey, drainDeadlineKey } from './deadlines.js'
import type { Fact, StreamDraft } from './draft.js'
import { evolveStream, evolveStreamV1, evolveStreamV2, evolveStreamV3 } from './evolve.js'
import { endAborted, followUnmet, onRequested, onWithdrawn, replaceTarget } from './handover.js'
import { outstandingOf } from './outstanding.js'
import { complete, completeIfDone } from './settling.js'
import { assignStandby, keepPlaced, keepStandby, orderFilling } from './standby.js'
import { initialStreamState, isFailed, type StreamState } from './state.js'

const correlationOf = (state: StreamState): string | null => state.handover?.id ?? null

type StreamDecider = Decider<'stream', StreamState>

const rules = (version: number, evolve: StreamDecider['evolve'], reactTo: typeof react): StreamDecider => ({
  category: 'stream',
  version,
  initial: initialStreamState,
  evolve,
  correlationOf,
  outstanding: outstandingOf,
  decide(state, fact) {
    const draft: StreamDraft = new Draft({ evolve, version, correlationOf }, state, fact)
    reactTo(draft, fact)
    return draft.events
  },
})

/** Rules of a stream: where it is placed, when and how it moves. */
export const streamDecider = rules(4, evolveStream, reactAndGoOn)

/** Version 3 left a primary that was back, because it had been dead when nobody could take over. */
export const streamDeciderV3 = rules(3, evolveStreamV3, reactAndGoOn)

/** Version 2 knew one reason for a handover at a time, and lost those that came up while it was followed. */
export const streamDeciderV2 = rules(2, evolveStreamV2, react)

/** Version 1 did not try again when a handover had been aborted although its reason stood. */
export const streamDeciderV1 = rules(1, evolveStreamV1, react)

function reactAndGoOn(draft: StreamDraft, fact: EventIn<'stream'>): void {
  react(draft, fact)
  followUnmet(draft)
}

function react(draft: StreamDraft, fact: EventIn<'stream'>): void {
  switch (fact.type) {
    case 'StreamOpened':
      return keepPlaced(draft)
    case 'FleetObserved':
      return onFleet(draft)
    case 'RouteReported':
      return onRouteReported(draft, fact)
    case 'HandoverRequested':
      return onRequested(draft, fact)
    case 'HandoverWithdrawn':
      return onWithdrawn(draft, fact)
    case 'StandbyActivated':
    case 'BufferStitched':
      return chooseCutover(draft)
    case 'CutoverReached':
      return onCutoverReached(draft, fact)
    case 'PrimaryDrained':
    case 'BufferSynchronized':
    case 'ViewersMeasured':
      return completeIfDone(draft)
    case 'StepFailed':
      return onStepFailed(draft, fact)
    case 'DeadlinePassed':
      return onDeadline(draft, fact)
    default:
      return
  }
}

function onFleet(draft: StreamDraft): void {
  const handover = draft.state.handover
  if (handover !== null && handover.phase !== 'settling' && isFailed(draft.state, handover.target.id)) {
    replaceTarget(draft, `standby ${handover.target.id} failed`)
  }
  followUnmet(draft)
  keepPlaced(draft)
  completeIfDone(draft)
}

/** What viewers follow is what counts: a log that knows less takes it over, and what it had under way has no object. */
function onRouteReported(draft: StreamDraft, fact: Fact<'RouteReported'>): void {
  const { edge, route } = fact.data
  if (!isAheadOf(draft.state, route)) return
  const { handover } = draft.state
  if (handover?.phase === 'settling') complete(draft, handover)
  else if (handover !== null) {
    const step = handover.phase === 'cutting' ? 'cutover' : 'activate'
    endAborted(draft, handover, step, `${edge} knows epoch ${route.epoch}, and this log does not`)
  }
  draft.emit({ type: 'RouteAdopted', data: { edge, ...route } })
  keepStandby(draft)
}

function onStepFailed(draft: StreamDraft, fact: Fact<'StepFailed'>): void {
  const { handover, standby, retiring } = draft.state
  const { order: failed, server, reason } = fact.data
  const inPreparation = handover !== null && handover.phase !== 'settling'
  if (inPreparation && handover.order === failed) return replaceTarget(draft, `${server}: ${reason}`)
  if (inPreparation && handover.phase === 'cutting' && handover.target.id === server) {
    return replaceTarget(draft, `${server}: ${reason}`)
  }
  if (standby?.order === failed) assignStandby(draft, `${server}: ${reason}`, 'of a slow one')
  if (standby?.order === failed || retiring?.server.id === server) completeIfDone(draft)
}

function onDeadline(draft: StreamDraft, fact: Fact<'DeadlinePassed'>): void {
  const { handover, standby } = draft.state
  const { deadline, step } = fact.data
  if (handover !== null && handover.phase === 'preparing' && deadline === handover.order) {
    return replaceTarget(draft, `${handover.target.id} was not ready in time`)
  }
  if (handover?.phase === 'cutting' && deadline === cutoverDeadlineKey(handover)) {
    return replaceTarget(
      draft,
      `${handover.target.id} did not reach segment ${handover.cutover?.number ?? '?'} in time`,
    )
  }
  if (standby !== null && deadline === standby.order && !standby.synchronized) {
    const reason = `${standby.server.id} was not filled in time`
    assignStandby(draft, reason, 'of a slow one')
    // The only one there is gets another try, or the stream would stay unprotected for good.
    if (draft.state.standby?.order === deadline) orderFilling(draft, standby.server, reason)
  }
  if (deadline === standby?.order || deadline === drainDeadlineKey(draft.state)) completeIfDone(draft)
  if (step === 'retry') followUnmet(draft)
}
