import type { EventIn, HandoverCause } from '../../events/index.js'
import { dayOf } from './day.js'
import { anyTable, nothing, put, type Change, type Projection, type Rows } from './projection.js'
import { integer, internalTable, optional, real, table, text, time, word, type RowIn } from './table.js'

export const dailyServers = table(
  'daily_servers',
  'What each server went through on each UTC day.',
  ['day', 'server'],
  {
    day: text('UTC day, as 2026-11-22'),
    server: text('server'),
    samples: integer('health samples recorded'),
    cpu_cores_sum: real('sum of the cores used over all samples; divide by samples for the mean'),
    cpu_cores_max: real('most cores used in a sample'),
    memory_bytes_max: real('most resident memory in a sample'),
    event_loop_delay_ms_max: real('longest delay of the event loop, in milliseconds'),
    lateness_ms_max: optional(real('latest segment, in milliseconds after its media time')),
    viewers_max: integer('most sessions at once'),
    predictions: integer('alarms raised'),
    confirmed: integer('alarms that a failure confirmed, by the day on which that was known'),
    unconfirmed: integer('alarms that nothing confirmed, by the day on which that was known'),
    failures: integer('failures'),
    down_ms: real('time it was gone, by the day on which it was back, in milliseconds'),
    drains: integer('times it was to be emptied'),
  },
)

export const dailyHandovers = table(
  'daily_handovers',
  'Handovers by UTC day of their start, cause and server that was left.',
  ['day', 'cause', 'server'],
  {
    day: text('UTC day on which they were decided, as 2026-11-22'),
    cause: word<HandoverCause>('prediction, maintenance, drain, failure or operator'),
    server: text('server that was left'),
    started: integer('handovers decided'),
    completed: integer('of these: completed'),
    aborted: integer('of these: aborted'),
    switch_ms_sum: real('sum of the times from request to switch, in milliseconds, of the completed ones'),
    switch_ms_max: real('longest of these times, in milliseconds'),
    sessions: integer('viewers that measured them'),
    damaged: integer('gaps, duplicates and wrong segments that they measured'),
    stalls: integer('viewers whose picture stood still'),
    stall_ms_max: real('longest standstill of a viewer, in milliseconds'),
  },
)

const startOf = internalTable('daily_handover_starts', 'Where a handover under way is counted.', ['stream'], {
  stream: text('stream'),
  day: text('day'),
  cause: word<HandoverCause>('cause'),
  server: text('server that is left'),
  at: time('when it was decided'),
})

type Day = RowIn<typeof dailyServers>
type HandoverDay = RowIn<typeof dailyHandovers>

/** Figures by day: of servers, and of handovers. */
export const dailyProjection: Projection = {
  name: 'daily',
  version: 1,
  tables: [anyTable(dailyServers), anyTable(dailyHandovers), anyTable(startOf)],
  kept: [anyTable(dailyServers)],
  interests: {
    server: [
      'HealthSampled',
      'InstabilityPredicted',
      'PredictionResolved',
      'ServerFailed',
      'ServerRecovered',
      'DrainRequested',
    ],
    stream: ['HandoverStarted', 'HandoverCompleted', 'HandoverAborted'],
  },
  project(rows, { category, entity, event }): ReadonlyArray<Change> {
    const day = dayOf(event.metadata.occurredAt)
    if (category === 'server') {
      return [put(dailyServers, nextDay(rows.get(dailyServers, day, entity) ?? newDay(day, entity), event))]
    }
    return category === 'stream' ? ofStream(rows, day, entity, event) : nothing
  },
}

const newDay = (day: string, server: string): Day => ({
  ...{ day, server, samples: 0, cpu_cores_sum: 0, cpu_cores_max: 0, memory_bytes_max: 0, event_loop_delay_ms_max: 0 },
  ...{ lateness_ms_max: null, viewers_max: 0, predictions: 0, confirmed: 0, unconfirmed: 0, failures: 0 },
  ...{ down_ms: 0, drains: 0 },
})

function nextDay(day: Day, event: EventIn<'server'>): Day {
  switch (event.type) {
    case 'HealthSampled': {
      const { process, encoder, viewers } = event.data.sample
      const { latenessMs } = encoder
      // Written out: most events are samples, and a row takes ten times as long to spread.
      return {
        day: day.day,
        server: day.server,
        samples: day.samples + 1,
        cpu_cores_sum: day.cpu_cores_sum + process.cpuCores,
        cpu_cores_max: Math.max(day.cpu_cores_max, process.cpuCores),
        memory_bytes_max: Math.max(day.memory_bytes_max, process.residentBytes),
        event_loop_delay_ms_max: Math.max(day.event_loop_delay_ms_max, process.eventLoopDelayMs),
        lateness_ms_max: latenessMs === null ? day.lateness_ms_max : Math.max(day.lateness_ms_max ?? 0, latenessMs),
        viewers_max: Math.max(day.viewers_max, viewers),
        predictions: day.predictions,
        confirmed: day.confirmed,
        unconfirmed: day.unconfirmed,
        failures: day.failures,
        down_ms: day.down_ms,
        drains: day.drains,
      }
    }
    case 'InstabilityPredicted':
      return { ...day, predictions: day.predictions + 1 }
    case 'PredictionResolved':
      return { ...day, [event.data.outcome]: day[event.data.outcome] + 1 }
    case 'ServerFailed':
      return { ...day, failures: day.failures + 1 }
    case 'ServerRecovered':
      return { ...day, down_ms: day.down_ms + event.data.downMs }
    case 'DrainRequested':
      return { ...day, drains: day.drains + 1 }
    default:
      return day
  }
}

function ofStream(rows: Rows, day: string, stream: string, event: EventIn<'stream'>): ReadonlyArray<Change> {
  if (event.type === 'HandoverStarted') {
    const { cause, from } = event.data
    const at = event.metadata.occurredAt
    return [
      put(startOf, { stream, day, cause, server: from.id, at }),
      counted(rows, { day, cause, server: from.id }, (before) => ({ started: before.started + 1 })),
    ]
  }
  const start = rows.get(startOf, stream)
  if (start === undefined) return nothing
  if (event.type === 'HandoverAborted') {
    return [counted(rows, start, (before) => ({ aborted: before.aborted + 1 }))]
  }
  if (event.type !== 'HandoverCompleted') return nothing
  const { triggerToSwitchMs, viewers } = event.data
  return [
    counted(rows, start, (before) => ({
      completed: before.completed + 1,
      switch_ms_sum: before.switch_ms_sum + triggerToSwitchMs,
      switch_ms_max: Math.max(before.switch_ms_max, triggerToSwitchMs),
      sessions: before.sessions + viewers.sessions,
      damaged: before.damaged + viewers.gaps + viewers.duplicates + viewers.hashMismatches,
      stalls: before.stalls + viewers.stalls,
      stall_ms_max: Math.max(before.stall_ms_max, viewers.stallMsMax),
    })),
  ]
}

type HandoverDayKey = Pick<HandoverDay, 'day' | 'cause' | 'server'>

function counted(
  rows: Rows,
  { day, cause, server }: HandoverDayKey,
  changes: (before: HandoverDay) => Partial<HandoverDay>,
): Change {
  const before = rows.get(dailyHandovers, day, cause, server) ?? {
    ...{ day, cause, server, started: 0, completed: 0, aborted: 0, switch_ms_sum: 0, switch_ms_max: 0 },
    ...{ sessions: 0, damaged: 0, stalls: 0, stall_ms_max: 0 },
  }
  return put(dailyHandovers, { ...before, ...changes(before) })
}
