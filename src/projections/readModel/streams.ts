import type { EventIn, StandbyMode } from '../../events/index.js'
import { anyTable, nothing, put, type Change, type Projection } from './projection.js'
import { boolean, integer, optional, table, text, time, word, type RowIn } from './table.js'

export const streams = table('streams', 'Every live stream, as it stands now.', ['stream'], {
  stream: text('name of the stream'),
  opened_at: optional(time('when its feed was first announced')),
  runs: integer('starts of its ingest'),
  feed_url: optional(text('base address of its ingest')),
  frame_height: optional(integer('height of the picture, in pixels')),
  primary_server: optional(text('server that viewers are sent to')),
  epoch: integer('count of its primaries; the authoritative one'),
  cutover: integer('first segment number of the epoch'),
  standby_server: optional(text('server that would take over')),
  standby_mode: optional(word<StandbyMode>('hot, warm or cold')),
  standby_synchronized: boolean('whether the standby holds the last segments, verified'),
  handover: optional(text('handover under way')),
  handovers_completed: integer('handovers that were completed'),
  handovers_aborted: integer('handovers that ended where they began'),
  requests_declined: integer('requests that changed nothing'),
  last_switched_at: optional(time('when the primary last changed')),
  source_lost_at: optional(time('since when the source is away; empty while it is there')),
  unprotected: boolean('whether no server was left that could stand by'),
})

type Stream = RowIn<typeof streams>

const unknown: Omit<Stream, 'stream'> = {
  opened_at: null,
  runs: 0,
  feed_url: null,
  frame_height: null,
  primary_server: null,
  epoch: 0,
  cutover: 0,
  standby_server: null,
  standby_mode: null,
  standby_synchronized: false,
  handover: null,
  handovers_completed: 0,
  handovers_aborted: 0,
  requests_declined: 0,
  last_switched_at: null,
  source_lost_at: null,
  unprotected: false,
}

/** Where every stream stands. */
export const streamsProjection: Projection = {
  name: 'streams',
  version: 1,
  tables: [anyTable(streams)],
  interests: {
    stream: [
      'StreamOpened',
      'PlacementDecided',
      'RouteAdopted',
      'StandbyAssigned',
      'StandbyMissing',
      'BufferSynchronized',
      'HandoverStarted',
      'CutoverRevoked',
      'StreamSwitched',
      'HandoverCompleted',
      'HandoverAborted',
      'HandoverDeclined',
      'SourceLost',
      'SourceRestored',
    ],
  },
  project(rows, { category, entity, event }): ReadonlyArray<Change> {
    if (category !== 'stream') return nothing
    return [put(streams, next(rows.get(streams, entity) ?? { stream: entity, ...unknown }, event))]
  },
}

function next(stream: Stream, event: EventIn<'stream'>): Stream {
  const at = event.metadata.occurredAt
  switch (event.type) {
    case 'StreamOpened': {
      const { feedUrl, format } = event.data
      const opened_at = stream.opened_at ?? at
      return { ...stream, opened_at, runs: stream.runs + 1, feed_url: feedUrl, frame_height: format.height }
    }
    case 'PlacementDecided': {
      const { primary, epoch, cutover } = event.data
      return { ...stream, primary_server: primary.id, epoch, cutover }
    }
    case 'RouteAdopted': {
      const { primary, epoch, cutover } = event.data
      const unassigned = { standby_server: null, standby_mode: null, standby_synchronized: false }
      return { ...stream, ...unassigned, primary_server: primary.id, epoch, cutover }
    }
    case 'StandbyAssigned': {
      const { server, mode } = event.data
      const assigned = { standby_server: server.id, standby_mode: mode, standby_synchronized: false }
      return { ...stream, ...assigned, unprotected: false }
    }
    case 'StandbyMissing':
      return { ...stream, standby_server: null, standby_mode: null, standby_synchronized: false, unprotected: true }
    case 'BufferSynchronized':
      return event.data.server === stream.standby_server ? { ...stream, standby_synchronized: true } : stream
    case 'HandoverStarted':
      return { ...stream, handover: event.data.handover }
    case 'CutoverRevoked':
      return { ...stream, epoch: event.data.stayEpoch, cutover: event.data.cutover }
    case 'StreamSwitched': {
      const { to, epoch, cutover } = event.data
      const tookOver = stream.standby_server === to.id
      const left = tookOver ? { standby_server: null, standby_mode: null, standby_synchronized: false } : {}
      return { ...stream, ...left, primary_server: to.id, epoch, cutover, last_switched_at: at }
    }
    case 'HandoverCompleted':
      return { ...stream, handover: null, handovers_completed: stream.handovers_completed + 1 }
    case 'HandoverAborted':
      return { ...stream, handover: null, handovers_aborted: stream.handovers_aborted + 1 }
    case 'HandoverDeclined':
      return { ...stream, requests_declined: stream.requests_declined + 1 }
    case 'SourceLost':
      return { ...stream, source_lost_at: at }
    case 'SourceRestored':
      return { ...stream, source_lost_at: null }
    default:
      return stream
  }
}
