import type { EventIn, HandoverCause, ServerRef, StepTimes, ViewerSummary } from '../events/index.js'

export interface HandoverStepSeen {
  readonly name: string
  /** Milliseconds since the request. */
  readonly atMs: number
  readonly detail: string
}

/** One handover from request to end, as an operator or auditor wants to see it. */
export interface HandoverRecord {
  readonly id: string
  readonly stream: string
  readonly cause: HandoverCause
  readonly from: ServerRef
  readonly to: ServerRef
  readonly requestedAt: number
  readonly outcome: 'under-way' | 'completed' | 'aborted'
  readonly reason: string | null
  readonly epoch: number | null
  readonly cutover: number | null
  readonly switchedAt: number | null
  readonly triggerToSwitchMs: number | null
  readonly steps: ReadonlyArray<HandoverStepSeen>
  readonly stepsMs: StepTimes | null
  readonly viewers: ViewerSummary | null
  readonly incomplete: ReadonlyArray<string>
}

/** Handovers in the order in which they began; the newest last. */
export type HandoverHistory = ReadonlyArray<HandoverRecord>

/** Applies one event of a stream to the history. Pure; other events leave it as it is. */
export function recordHandover(history: HandoverHistory, stream: string, event: EventIn<'stream'>): HandoverHistory {
  if (event.type === 'HandoverStarted') return [...history, beginHandover(stream, event)]
  const index = history.findLastIndex((each) => each.stream === stream && each.outcome === 'under-way')
  const current = history[index]
  if (current === undefined) return history
  const next = advanceHandover(current, event)
  return next === current ? history : history.with(index, next)
}

/** The record of a handover that has just been decided. */
export function beginHandover(
  stream: string,
  event: Extract<EventIn<'stream'>, { readonly type: 'HandoverStarted' }>,
): HandoverRecord {
  const { handover: id, cause, from, to, requestedAt } = event.data
  const started = {
    name: 'started',
    atMs: event.metadata.occurredAt - requestedAt,
    detail: `${from.id} -> ${to.id} (${cause})`,
  }
  return {
    id,
    stream,
    cause,
    from,
    to,
    requestedAt,
    outcome: 'under-way',
    reason: null,
    epoch: null,
    cutover: null,
    switchedAt: null,
    triggerToSwitchMs: null,
    steps: [started],
    stepsMs: null,
    viewers: null,
    incomplete: [],
  }
}

type Changes = Partial<Omit<HandoverRecord, 'id' | 'stream' | 'cause' | 'from' | 'requestedAt' | 'steps'>>
const unchanged: Changes = {}

/** One literal for all records, so that they are all of one shape to the engine. */
const changed = (record: HandoverRecord, changes: Changes, steps: ReadonlyArray<HandoverStepSeen>): HandoverRecord => ({
  id: record.id,
  stream: record.stream,
  cause: record.cause,
  from: record.from,
  to: changes.to ?? record.to,
  requestedAt: record.requestedAt,
  outcome: changes.outcome ?? record.outcome,
  reason: changes.reason ?? record.reason,
  epoch: changes.epoch === undefined ? record.epoch : changes.epoch,
  cutover: changes.cutover === undefined ? record.cutover : changes.cutover,
  switchedAt: changes.switchedAt ?? record.switchedAt,
  triggerToSwitchMs: changes.triggerToSwitchMs ?? record.triggerToSwitchMs,
  steps,
  stepsMs: changes.stepsMs ?? record.stepsMs,
  viewers: changes.viewers ?? record.viewers,
  incomplete: changes.incomplete ?? record.incomplete,
})

/** Applies one event of its stream to the record of a handover under way; events of no interest leave it as it is. */
export function advanceHandover(record: HandoverRecord, event: EventIn<'stream'>): HandoverRecord {
  const step = (name: string, detail: string, changes: Changes = unchanged): HandoverRecord => {
    const { occurredAt } = event.metadata
    return changed(record, changes, [...record.steps, { name, atMs: occurredAt - record.requestedAt, detail }])
  }
  switch (event.type) {
    case 'StandbyActivationOrdered':
      return step('standby ordered', `${event.data.server.id}, attempt ${event.data.attempt}`, {
        to: event.data.server,
      })
    case 'StandbyActivated':
      return step('standby level', `live at segment ${event.data.liveNumber}`)
    case 'BufferStitched': {
      const { verified, copied, different, unverified } = event.data.result
      return step(
        'buffer stitched',
        `${verified} verified, ${copied} copied, ${different} differed, ${unverified} unverified`,
      )
    }
    case 'CutoverChosen': {
      const { epoch, cutover, emergency } = event.data
      return step('cut-over chosen', `K = ${cutover}, epoch ${epoch}${emergency ? ', emergency' : ''}`, {
        epoch,
        cutover,
      })
    }
    case 'CutoverRevoked':
      return step('cut-over revoked', event.data.reason, { epoch: null, cutover: null })
    case 'ClientsNotified':
      // Edges also tell of viewers who hear the standing route again; that is no step of the handover.
      if (event.data.epoch !== record.epoch) return record
      return step(
        'viewers told',
        `${event.data.acknowledged} of ${event.data.sessions} acknowledged at ${event.data.edge}`,
      )
    case 'StreamSwitched': {
      const { triggerToSwitchMs, to } = event.data
      return step('switched', `${to.id} is primary`, { switchedAt: event.metadata.occurredAt, triggerToSwitchMs })
    }
    case 'StandbyAssigned':
      return step('new standby', `${event.data.server.id} (${event.data.mode})`)
    case 'StandbyMissing':
      return step('no standby', event.data.reason)
    case 'PrimaryDrained':
      return step(
        'old primary drained',
        `${event.data.requestsServed} requests served${event.data.forced ? ', forced' : ''}`,
      )
    case 'BufferSynchronized':
      return step('new standby filled', `${event.data.result.verified} verified, ${event.data.result.copied} copied`)
    case 'ViewersMeasured': {
      const { sessions, gaps, duplicates, stallMsMax } = event.data
      return step(
        'viewers measured',
        `${sessions} viewer(s): ${gaps} gaps, ${duplicates} duplicates, stall ${Math.round(stallMsMax)} ms`,
      )
    }
    case 'StepFailed':
      return step('step failed', `${event.data.step} at ${event.data.server}: ${event.data.reason}`)
    case 'HandoverCompleted': {
      const { steps: stepsMs, viewers, incomplete } = event.data
      return step('completed', incomplete.join(', '), { outcome: 'completed', stepsMs, viewers, incomplete })
    }
    case 'HandoverAborted':
      return step('aborted', event.data.reason, { outcome: 'aborted', reason: event.data.reason })
    default:
      return record
  }
}
