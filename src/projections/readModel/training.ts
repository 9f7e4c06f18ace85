import { isControl } from '../../actors/server/control.js'
import { isOrderly } from '../../actors/server/departure.js'
import { defaultServerPolicy, type EventIn, type ServerPolicy } from '../../events/index.js'
import { horizonMsFor, nominalIntervalMs } from '../../model/telemetry/index.js'
import { windowSamplesMax } from '../../model/window.js'
import { anyTable, nothing, put, type Change, type Projection, type Rows } from './projection.js'
import { boolean, integer, internalTable, json, optional, real, table, text, time, type RowIn } from './table.js'

/** Windows that are kept of a horizon of quiet time. */
const quietPerHorizon = 30

/**
 * Of quiet times only every so manieth sample is kept, with that weight: every tenth at a sample a second. How far a model
 * looks ahead follows from the time between samples (`horizonMsFor`).
 */
export const quietStrideFor = (intervalMs: number): number =>
  Math.max(1, Math.round(horizonMsFor(intervalMs) / quietPerHorizon / nominalIntervalMs(intervalMs)))

export const trainingWindows = table(
  'training_windows',
  'Windows of health samples with what followed, to train and to judge models.',
  ['server', 'boot_id', 'to_seq'],
  {
    server: text('server'),
    boot_id: text('boot of its process that the samples belong to'),
    from_seq: integer('first sample of the window, by its number within the boot'),
    to_seq: integer('last sample of the window: the moment at which a model would have judged'),
    to_at: time('when that sample was recorded'),
    incident_at: optional(time('when an incident began within the horizon of the model; empty: none did')),
    lead_ms: optional(real('from the window to the incident, in milliseconds')),
    label: integer('1: an incident began within the horizon (5 min at a sample a second); 0: none did'),
    weight: real('samples that the row stands for: in quiet times (at a sample a second) one in ten is kept'),
    averted: boolean('no incident, but streams had left the server because of an alarm: it proves less'),
    control: boolean('no incident, though nothing was done about an alarm on purpose: it proves that it was unneeded'),
  },
)

interface Alarm {
  readonly prediction: string
  readonly at: number
  readonly left: boolean
  readonly open: boolean
  readonly control: boolean
}

const watched = internalTable('training_servers', 'Samples of each server whose future is not known yet.', ['server'], {
  server: text('server'),
  boot_id: text('present boot'),
  first_seq: integer('first sample of the boot that was seen'),
  pending: json<ReadonlyArray<readonly [seq: number, at: number]>>('samples: number and time'),
  alarm: optional(json<Alarm>('newest alarm of the boot')),
  interval_ms: real('between its samples'),
  policy: json<Pick<ServerPolicy, 'controlShare' | 'horizonMs'>>('what decides which alarms nothing is done about'),
  failed: boolean('whether it is gone'),
  left_in_order: boolean('whether its process said good-bye'),
})

const alarmOfHandover = internalTable(
  'training_handovers',
  'Which server had the alarm behind a handover.',
  ['handover'],
  {
    handover: text('handover'),
    server: text('server'),
    prediction: text('prediction'),
  },
)

type Watched = RowIn<typeof watched>

/** Windows of samples, labelled by the failures that followed. */
export const trainingProjection: Projection = {
  name: 'training',
  version: 3,
  tables: [anyTable(trainingWindows), anyTable(watched), anyTable(alarmOfHandover)],
  kept: [anyTable(watched)],
  interests: {
    server: [
      'ServerJoined',
      'PolicyChanged',
      'HealthSampled',
      'ServerLeft',
      'InstabilityPredicted',
      'PredictionResolved',
      'ServerFailed',
      'ServerRecovered',
    ],
    stream: ['HandoverStarted', 'StreamSwitched'],
  },
  project(rows, happened): ReadonlyArray<Change> {
    switch (happened.category) {
      case 'server': {
        const before = rows.get(watched, happened.entity) ?? unseen(happened.entity)
        return ofServer(before, happened.event)
      }
      case 'stream':
        return ofStream(rows, happened.event)
      default:
        return nothing
    }
  },
}

const unseen = (server: string): Watched => {
  const { controlShare, horizonMs } = defaultServerPolicy
  return { server, failed: false, interval_ms: 1_000, policy: { controlShare, horizonMs }, ...boot('', 0) }
}

const boot = (
  boot_id: string,
  first_seq: number,
): Pick<Watched, 'boot_id' | 'first_seq' | 'pending' | 'alarm' | 'left_in_order'> => ({
  boot_id,
  first_seq,
  pending: [],
  alarm: null,
  left_in_order: false,
})

function ofServer(before: Watched, event: EventIn<'server'>): ReadonlyArray<Change> {
  const at = event.metadata.occurredAt
  switch (event.type) {
    case 'ServerJoined':
      return onJoined(before, event.data.bootId)
    case 'HealthSampled':
      return onSample(before, event.data.sample, at)
    case 'PolicyChanged': {
      const { controlShare, horizonMs } = event.data.policy
      return [put(watched, { ...before, policy: { controlShare, horizonMs } })]
    }
    case 'ServerLeft': {
      const isPresent = event.data.bootId === before.boot_id
      return isPresent && isOrderly(event.data.reason) ? [put(watched, { ...before, left_in_order: true })] : nothing
    }
    case 'InstabilityPredicted':
      return [put(watched, { ...before, alarm: alarmOf(before, event, at) })]
    case 'PredictionResolved': {
      const { alarm } = before
      if (alarm?.prediction !== event.data.prediction) return nothing
      return [put(watched, { ...before, alarm: { ...alarm, open: false } })]
    }
    case 'ServerFailed': {
      // A process that was asked to end says nothing about the health of its machine.
      const labelled = before.left_in_order ? nothing : incident(before, event.data.firstSignalAt)
      return [...labelled, put(watched, { ...before, pending: [], failed: true })]
    }
    case 'ServerRecovered':
      return [put(watched, { ...before, failed: false })]
    default:
      return nothing
  }
}

function alarmOf(
  { policy }: Watched,
  { id, data }: Extract<EventIn<'server'>, { readonly type: 'InstabilityPredicted' }>,
  at: number,
): Alarm {
  return { prediction: id, at, left: false, open: true, control: isControl(id, data.timeToLimitMs, policy) }
}

function onJoined(before: Watched, bootId: string): ReadonlyArray<Change> {
  if (before.boot_id === bootId) return nothing
  const last = before.pending.at(-1)
  // A new process while an alarm was open: the old one has died, though nobody noticed.
  const unnoticed = !before.failed && !before.left_in_order && before.alarm?.open === true && last !== undefined
  const labelled = unnoticed ? incident(before, last[1]) : nothing
  return [...labelled, put(watched, { ...before, ...boot(bootId, -1) })]
}

function onSample(
  before: Watched,
  { bootId, seq, intervalMs }: { readonly bootId: string; readonly seq: number; readonly intervalMs: number },
  at: number,
): ReadonlyArray<Change> {
  const newest = before.pending.at(-1)
  // Late, repeated or from a boot that is over: no model would have judged by it.
  if (before.failed || bootId !== before.boot_id || (newest !== undefined && seq <= newest[0])) return nothing
  const foresightMs = horizonMsFor(intervalMs)
  const stride = quietStrideFor(intervalMs)
  const settled = settledAt(before.pending, at - foresightMs)
  const changes: Change[] = []
  for (const [toSeq, toAt] of before.pending.slice(0, settled)) {
    if (toSeq % stride === 0) changes.push(quiet(before, toSeq, toAt, stride))
  }
  // Written out: most events are samples, and a row takes ten times as long to spread.
  const after: Watched = {
    server: before.server,
    boot_id: before.boot_id,
    first_seq: before.first_seq === -1 ? seq : before.first_seq,
    pending: [...before.pending.slice(settled), [seq, at]],
    alarm: before.alarm,
    interval_ms: intervalMs,
    policy: before.policy,
    failed: before.failed,
    left_in_order: before.left_in_order,
  }
  changes.push(put(watched, after))
  return changes
}

type Pending = Watched['pending']

/** How many of the samples were taken before a moment, and so have their whole future behind them. */
function settledAt(pending: Pending, before: number): number {
  let settled = 0
  for (const sample of pending) {
    if (sample[1] >= before) break
    settled += 1
  }
  return settled
}

const window = ({ server, boot_id, first_seq }: Watched, toSeq: number, toAt: number) => ({
  server,
  boot_id,
  from_seq: Math.max(first_seq, toSeq - windowSamplesMax + 1),
  to_seq: toSeq,
  to_at: toAt,
})

function quiet(server: Watched, toSeq: number, toAt: number, stride: number): Change {
  const { alarm, interval_ms: intervalMs } = server
  const isNear = alarm !== null && Math.abs(alarm.at - toAt) <= horizonMsFor(intervalMs)
  return put(trainingWindows, {
    ...window(server, toSeq, toAt),
    incident_at: null,
    lead_ms: null,
    label: 0,
    weight: stride,
    averted: isNear && alarm.left,
    control: isNear && alarm.control && !alarm.left,
  })
}

function incident(server: Watched, onset: number): ReadonlyArray<Change> {
  const horizonMs = horizonMsFor(server.interval_ms)
  return server.pending
    .filter(([, at]) => at <= onset)
    .map(([toSeq, toAt]) => {
      const lead = onset - toAt
      const outcome = { incident_at: onset, lead_ms: lead, label: lead <= horizonMs ? 1 : 0 }
      return put(trainingWindows, {
        ...window(server, toSeq, toAt),
        ...outcome,
        ...{ weight: 1, averted: false, control: false },
      })
    })
}

function ofStream(rows: Rows, event: EventIn<'stream'>): ReadonlyArray<Change> {
  if (event.type === 'HandoverStarted') {
    const { handover, reference, cause, from } = event.data
    if (cause !== 'prediction' || reference === null) return nothing
    return [put(alarmOfHandover, { handover, server: from.id, prediction: reference })]
  }
  if (event.type !== 'StreamSwitched') return nothing
  const behind = rows.get(alarmOfHandover, event.data.handover)
  const before = behind === undefined ? undefined : rows.get(watched, behind.server)
  if (before?.alarm?.prediction !== behind?.prediction || !before?.alarm) return nothing
  return [put(watched, { ...before, alarm: { ...before.alarm, left: true } })]
}
