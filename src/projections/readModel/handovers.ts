import type { EventIn, HandoverCause, StepTimes } from '../../events/index.js'
import { advanceHandover, beginHandover, type HandoverRecord } from '../handovers.js'
import { anyTable, nothing, put, type Change, type Projection, type Rows } from './projection.js'
import { boolean, integer, internalTable, json, optional, real, table, text, time, word, type RowIn } from './table.js'

export type HandoverOutcome = HandoverRecord['outcome']

export const handovers = table('handovers', 'Every handover, from the request to its end.', ['handover'], {
  handover: text('name of the handover'),
  stream: text('stream that changed its server'),
  cause: word<HandoverCause>('prediction, maintenance, drain, failure or operator'),
  from_server: text('server that was left'),
  to_server: text('server that took over, or was meant to'),
  reference: optional(text('event that asked for it, such as a prediction')),
  requested_at: time('when it was asked for; all step times count from here'),
  started_at: time('when it was decided'),
  outcome: word<HandoverOutcome>('under-way, completed or aborted'),
  reason: optional(text('why it was aborted')),
  attempts: integer('standbys that were ordered'),
  emergency: boolean('whether the old server was gone when the cut-over was chosen'),
  epoch: optional(integer('epoch that began with it')),
  cutover: optional(integer('first segment number of that epoch')),
  switched_at: optional(time('when the new server became the primary')),
  ended_at: optional(time('when it was completed or aborted')),
  trigger_to_switch_ms: optional(real('from the request to the switch, in milliseconds')),
  standby_activated_ms: optional(real('from the request until the standby was level, in milliseconds')),
  buffer_stitched_ms: optional(real('... until its buffer was verified')),
  cutover_chosen_ms: optional(real('... until the cut-over was chosen')),
  clients_notified_ms: optional(real('... until viewers were told')),
  switched_ms: optional(real('... until the switch')),
  primary_drained_ms: optional(real('... until the old server had drained')),
  buffer_synchronized_ms: optional(real('... until a new standby was filled')),
  sessions: optional(integer('viewers that measured it')),
  notified: optional(integer('viewers that were told')),
  acknowledged: optional(integer('viewers that acknowledged')),
  gaps: optional(integer('segments that a viewer missed')),
  duplicates: optional(integer('segments that a viewer got twice')),
  hash_mismatches: optional(integer('segments whose hash was not the announced one')),
  stalls: optional(integer('viewers whose picture stood still')),
  stall_ms_max: optional(real('longest standstill of a viewer, in milliseconds')),
  incomplete: json<ReadonlyArray<string>>('steps that ended by their deadline'),
})

export const handoverSteps = table(
  'handover_steps',
  'Everything that happened in a handover, in order.',
  ['handover', 'step'],
  {
    handover: text('name of the handover'),
    step: integer('place within the handover, from 0'),
    stream: text('stream that changed its server'),
    name: text('what happened'),
    recorded_at: time('when it was recorded'),
    at_ms: real('the same, from the request, in milliseconds'),
    detail: text('in words'),
    event: text('id of the event'),
  },
)

const underWay = internalTable('handovers_under_way', 'The handover of each stream that is not over.', ['stream'], {
  stream: text('stream'),
  record: optional(json<HandoverRecord>('what is known of it; empty between handovers')),
})

type Handover = RowIn<typeof handovers>
type Started = Extract<EventIn<'stream'>, { readonly type: 'HandoverStarted' }>

/** Every handover with all its steps. */
export const handoversProjection: Projection = {
  name: 'handovers',
  version: 2,
  tables: [anyTable(handovers), anyTable(handoverSteps), anyTable(underWay)],
  interests: {
    stream: [
      'HandoverStarted',
      'StandbyActivationOrdered',
      'StandbyActivated',
      'BufferStitched',
      'CutoverChosen',
      'CutoverRevoked',
      'ClientsNotified',
      'StreamSwitched',
      'StandbyAssigned',
      'StandbyMissing',
      'PrimaryDrained',
      'BufferSynchronized',
      'ViewersMeasured',
      'StepFailed',
      'HandoverCompleted',
      'HandoverAborted',
    ],
  },
  project(rows, { category, entity, event }): ReadonlyArray<Change> {
    if (category !== 'stream') return nothing
    if (event.type === 'HandoverStarted') {
      const record = beginHandover(entity, event)
      return [put(handovers, begun(record, event)), ...stepsOf(record, 0, event), remember(record)]
    }
    const before = rows.get(underWay, entity)?.record ?? null
    if (before === null) return nothing
    const after = advanceHandover(before, event)
    if (after === before) return nothing
    return [...advanced(rows, after, event), ...stepsOf(after, before.steps.length, event), remember(after)]
  },
}

const remember = (record: HandoverRecord): Change =>
  put(underWay, { stream: record.stream, record: record.outcome === 'under-way' ? record : null })

function stepsOf(record: HandoverRecord, from: number, event: EventIn<'stream'>): ReadonlyArray<Change> {
  return record.steps.slice(from).map((step, index) =>
    put(handoverSteps, {
      handover: record.id,
      step: from + index,
      stream: record.stream,
      name: step.name,
      recorded_at: event.metadata.occurredAt,
      at_ms: step.atMs,
      detail: step.detail,
      event: event.id,
    }),
  )
}

const noSteps = {
  standby_activated_ms: null,
  buffer_stitched_ms: null,
  cutover_chosen_ms: null,
  clients_notified_ms: null,
  switched_ms: null,
  primary_drained_ms: null,
  buffer_synchronized_ms: null,
}

const noViewers = {
  sessions: null,
  notified: null,
  acknowledged: null,
  gaps: null,
  duplicates: null,
  hash_mismatches: null,
  stalls: null,
  stall_ms_max: null,
}

function begun(record: HandoverRecord, event: Started): Handover {
  return {
    handover: record.id,
    stream: record.stream,
    cause: record.cause,
    from_server: record.from.id,
    to_server: record.to.id,
    reference: event.data.reference,
    requested_at: record.requestedAt,
    started_at: event.metadata.occurredAt,
    outcome: 'under-way',
    reason: null,
    attempts: 0,
    emergency: false,
    epoch: null,
    cutover: null,
    switched_at: null,
    ended_at: null,
    trigger_to_switch_ms: null,
    ...noSteps,
    ...noViewers,
    incomplete: [],
  }
}

function advanced(rows: Rows, record: HandoverRecord, event: EventIn<'stream'>): ReadonlyArray<Change> {
  const before = rows.get(handovers, record.id)
  if (before === undefined) return nothing
  const { viewers, stepsMs } = record
  return [
    put(handovers, {
      ...before,
      to_server: record.to.id,
      outcome: record.outcome,
      reason: record.reason,
      attempts: before.attempts + (event.type === 'StandbyActivationOrdered' ? 1 : 0),
      emergency: event.type === 'CutoverChosen' ? event.data.emergency : before.emergency,
      epoch: record.epoch,
      cutover: record.cutover,
      switched_at: record.switchedAt,
      ended_at: record.outcome === 'under-way' ? null : event.metadata.occurredAt,
      trigger_to_switch_ms: record.triggerToSwitchMs,
      ...(stepsMs === null ? {} : stepColumns(stepsMs)),
      ...(viewers === null
        ? {}
        : {
            sessions: viewers.sessions,
            notified: viewers.notified,
            acknowledged: viewers.acknowledged,
            gaps: viewers.gaps,
            duplicates: viewers.duplicates,
            hash_mismatches: viewers.hashMismatches,
            stalls: viewers.stalls,
            stall_ms_max: viewers.stallMsMax,
          }),
      incomplete: record.incomplete,
    }),
  ]
}

const stepColumns = (steps: StepTimes): Readonly<Record<keyof typeof noSteps, number | null>> => ({
  standby_activated_ms: steps.standbyActivatedMs,
  buffer_stitched_ms: steps.bufferStitchedMs,
  cutover_chosen_ms: steps.cutoverChosenMs,
  clients_notified_ms: steps.clientsNotifiedMs,
  switched_ms: steps.switchedMs,
  primary_drained_ms: steps.primaryDrainedMs,
  buffer_synchronized_ms: steps.bufferSynchronizedMs,
})
