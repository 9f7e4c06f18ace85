import type { EventIn } from '../../events/index.js'
import { anyTable, nothing, put, type Change, type Projection, type Rows } from './projection.js'
import { boolean, integer, optional, real, table, text, time, word, type RowIn } from './table.js'

export const clientSessions = table('client_sessions', 'Every session of a viewer.', ['session'], {
  session: text('name of the session'),
  stream: text('stream that it watched'),
  agent: text('program that it played in'),
  connected_at: time('when it first connected'),
  left_at: optional(time('when it said good-bye; empty while it watches, or when it was lost')),
  left_reason: optional(text('why it ended')),
  edge: text('server that it was last connected to'),
  notified: integer('notices of a cut-over that reached it'),
  acknowledged: integer('notices that it acknowledged'),
  switches: integer('changes of server that it lived through'),
  seamless: integer('of these: without gap, duplicate or stall'),
  stalled: integer('of these: the picture stood still'),
  damaged: integer('of these: with a gap, a duplicate or a wrong segment'),
  switch_stall_ms: real('standstill in changes of server, in milliseconds'),
  troubles: integer('requests for a segment that failed'),
  segments: optional(integer('segments played; known at the end, like what follows')),
  gaps: optional(integer('segments missed')),
  duplicates: optional(integer('segments got twice')),
  hash_mismatches: optional(integer('segments whose hash was not the announced one')),
  stalls: optional(integer('standstills')),
  stall_ms: optional(real('standstill altogether, in milliseconds')),
  buffer_ms_max: optional(real('most that it had buffered, in milliseconds')),
  latency_ms: optional(real('distance from the live edge, in milliseconds')),
})

export const clientSwitches = table(
  'client_switches',
  'How each viewer lived through each change of server.',
  ['session', 'epoch'],
  {
    session: text('name of the session'),
    epoch: integer('epoch of the stream that it changed to'),
    stream: text('stream that it watched'),
    server: text('server that it changed to'),
    recorded_at: time('when it was recorded'),
    first_number: integer('first segment from the new server'),
    gaps: integer('segments missed'),
    duplicates: integer('segments got twice'),
    hash_mismatches: integer('segments whose hash was not the announced one'),
    stalls: integer('standstills'),
    stall_ms: real('standstill, in milliseconds'),
    verdict: optional(word<'seamless' | 'stalled' | 'damaged'>('seamless, stalled or damaged')),
    acknowledged_in_time: optional(boolean('whether it had acknowledged the notice')),
  },
)

type Session = RowIn<typeof clientSessions>

const unmeasured = {
  segments: null,
  gaps: null,
  duplicates: null,
  hash_mismatches: null,
  stalls: null,
  stall_ms: null,
  buffer_ms_max: null,
  latency_ms: null,
}

const unknown: Omit<Session, 'session' | 'stream' | 'connected_at' | 'edge' | 'agent'> = {
  left_at: null,
  left_reason: null,
  notified: 0,
  acknowledged: 0,
  switches: 0,
  seamless: 0,
  stalled: 0,
  damaged: 0,
  switch_stall_ms: 0,
  troubles: 0,
  ...unmeasured,
}

/** Every viewer's session, and how it lived through changes of server. */
export const sessionsProjection: Projection = {
  name: 'sessions',
  version: 2,
  tables: [anyTable(clientSessions), anyTable(clientSwitches)],
  interests: {
    client: [
      'ClientConnected',
      'ClientNotified',
      'ClientAcknowledged',
      'ClientSwitched',
      'ClientReportedTrouble',
      'ClientLeft',
      'SwitchExperienced',
    ],
  },
  project(rows, { category, entity, event }): ReadonlyArray<Change> {
    if (category !== 'client') return nothing
    const at = event.metadata.occurredAt
    const before = rows.get(clientSessions, entity) ?? {
      ...{ session: entity, stream: '', agent: '', connected_at: at, edge: '' },
      ...unknown,
    }
    return [put(clientSessions, next(rows, before, event)), ...switchOf(rows, before, event)]
  },
}

function next(rows: Rows, session: Session, event: EventIn<'client'>): Session {
  switch (event.type) {
    case 'ClientConnected': {
      const { stream, agent, edge } = event.data
      // One that comes back has not left after all.
      return { ...session, stream, agent, edge, left_at: null, left_reason: null }
    }
    case 'ClientNotified':
      return { ...session, notified: session.notified + 1 }
    case 'ClientAcknowledged':
      return { ...session, acknowledged: session.acknowledged + 1 }
    case 'ClientSwitched':
      return { ...session, edge: event.data.edge }
    case 'ClientReportedTrouble':
      return { ...session, troubles: session.troubles + 1 }
    case 'SwitchExperienced': {
      const { verdict, epoch } = event.data
      const stallMs = rows.get(clientSwitches, session.session, epoch)?.stall_ms ?? 0
      return {
        ...session,
        switches: session.switches + 1,
        [verdict]: session[verdict] + 1,
        switch_stall_ms: session.switch_stall_ms + stallMs,
      }
    }
    case 'ClientLeft': {
      const { totals, reason } = event.data
      // Without totals one of its channels was closed, not the session.
      if (totals === null) return session
      const { segments, gaps, duplicates, hashMismatches, stalls, stallMs, bufferMsMax, latencyMs } = totals
      return {
        ...session,
        ...{ left_at: event.metadata.occurredAt, left_reason: reason, segments, gaps, duplicates, stalls },
        ...{ hash_mismatches: hashMismatches, stall_ms: stallMs, buffer_ms_max: bufferMsMax, latency_ms: latencyMs },
      }
    }
    default:
      return session
  }
}

function switchOf(rows: Rows, { session, stream }: Session, event: EventIn<'client'>): ReadonlyArray<Change> {
  if (event.type === 'ClientSwitched') {
    const { epoch, server, firstNumber, gaps, duplicates, hashMismatches, stalls, stallMs } = event.data
    const former = rows.get(clientSwitches, session, epoch)
    return [
      put(clientSwitches, {
        ...{ session, epoch, stream, server, recorded_at: event.metadata.occurredAt, first_number: firstNumber },
        ...{ gaps, duplicates, hash_mismatches: hashMismatches, stalls, stall_ms: stallMs },
        verdict: former?.verdict ?? null,
        acknowledged_in_time: former?.acknowledged_in_time ?? null,
      }),
    ]
  }
  if (event.type !== 'SwitchExperienced') return nothing
  const before = rows.get(clientSwitches, session, event.data.epoch)
  if (before === undefined) return nothing
  const { verdict, acknowledgedInTime } = event.data
  return [put(clientSwitches, { ...before, verdict, acknowledged_in_time: acknowledgedInTime })]
}
