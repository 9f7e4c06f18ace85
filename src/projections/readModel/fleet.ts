import { drainAfter, type Drain } from '../../actors/server/drain.js'
import type { Band, EventIn, ServerStanding } from '../../events/index.js'
import { anyTable, nothing, put, type Change, type Projection, type Rows } from './projection.js'
import { boolean, integer, internalTable, json, optional, real, table, text, time, word, type RowIn } from './table.js'

export const servers = table('servers', 'Every media server that was ever heard of, as it stands now.', ['server'], {
  server: text('name of the server'),
  url: text('base of its HTTP origin'),
  boot_id: text('changes with every start of its process'),
  boots: integer('starts seen'),
  joined_at: time('when the present process introduced itself'),
  capacity_streams: integer('streams it can carry'),
  memory_limit_bytes: optional(integer('memory limit of its process')),
  standing: word<ServerStanding>('stable, watch, unstable (a prediction is open), draining or failed'),
  band: optional(word<Band>('band of the newest assessment')),
  score: optional(real('newest recorded stability score, 0 (failing) to 100 (healthy)')),
  risk: optional(real('newest recorded probability that an incident starts within the horizon')),
  threshold: optional(real('score below which the server counted as unstable')),
  open_prediction: optional(text('prediction that is open and not cleared')),
  failed_at: optional(time('when it was found to be gone; empty while it is there')),
  draining: boolean('whether it is being emptied'),
  model: optional(text('model that judges it, when one was activated')),
  last_sample_at: optional(time('when the newest health sample was recorded')),
  last_sample_seq: optional(integer('its number within the boot')),
  cpu_cores: optional(real('cores used by its process')),
  host_cpu_ratio: optional(real('busy share of the whole machine, 0 to 1')),
  memory_ratio: optional(real('resident memory as a share of the limit')),
  streams: integer('streams with a part on it'),
  viewers: integer('sessions that it serves'),
  maintenance: json<ReadonlyArray<MaintenanceWindow>>('maintenance windows announced: window, from, until, reason'),
})

const drains = internalTable('fleet_drains', 'Who wants a server to be emptied.', ['server'], {
  server: text('server'),
  drain: optional(json<Drain>('the drain that stands')),
})

interface MaintenanceWindow {
  readonly window: string
  readonly from: number
  readonly until: number
  readonly reason: string
}

type Server = RowIn<typeof servers>

const unknown: Omit<Server, 'server'> = {
  url: '',
  boot_id: '',
  boots: 0,
  joined_at: 0,
  capacity_streams: 0,
  memory_limit_bytes: null,
  standing: 'stable',
  band: null,
  score: null,
  risk: null,
  threshold: null,
  open_prediction: null,
  failed_at: null,
  draining: false,
  model: null,
  last_sample_at: null,
  last_sample_seq: null,
  cpu_cores: null,
  host_cpu_ratio: null,
  memory_ratio: null,
  streams: 0,
  viewers: 0,
  maintenance: [],
}

/** Where every media server stands. */
export const fleetProjection: Projection = {
  name: 'fleet',
  version: 2,
  tables: [anyTable(servers), anyTable(drains)],
  kept: [anyTable(servers), anyTable(drains)],
  interests: {
    server: [
      'ServerJoined',
      'HealthSampled',
      'StabilityAssessed',
      'InstabilityPredicted',
      'PredictionCleared',
      'PredictionResolved',
      'ServerFailed',
      'ServerRecovered',
      'DrainRequested',
      'DrainCancelled',
      'ModelActivated',
      'MaintenanceScheduled',
      'MaintenanceCancelled',
    ],
  },
  project(rows, { category, entity, event }): ReadonlyArray<Change> {
    if (category !== 'server') return nothing
    const before = rows.get(servers, entity) ?? { server: entity, ...unknown }
    const after = next(before, event)
    const change = drained(rows, before, event)
    const draining = change === undefined ? after.draining : change.drain !== null
    const standing = standingOf({ ...after, draining })
    const isSame = standing === after.standing && draining === after.draining
    return [
      put(servers, isSame ? after : { ...after, draining, standing }),
      ...(change === undefined ? [] : [put(drains, change)]),
    ]
  },
}

/** What has become of a drain; undefined for events that have nothing to do with drains. */
function drained(rows: Rows, { server, boot_id }: Server, event: EventIn<'server'>): RowIn<typeof drains> | undefined {
  switch (event.type) {
    case 'ServerJoined':
    case 'DrainRequested':
    case 'DrainCancelled':
      return {
        server,
        drain: drainAfter(rows.get(drains, server)?.drain ?? null, boot_id === '' ? null : boot_id, event),
      }
    default:
      return undefined
  }
}

function standingOf({ failed_at, draining, open_prediction, band }: Server): ServerStanding {
  if (failed_at !== null) return 'failed'
  if (draining) return 'draining'
  if (open_prediction !== null) return 'unstable'
  return band === null || band === 'stable' ? 'stable' : 'watch'
}

function next(server: Server, event: EventIn<'server'>): Server {
  const at = event.metadata.occurredAt
  switch (event.type) {
    case 'ServerJoined': {
      const { url, bootId, capacityStreams, memoryLimitBytes } = event.data
      const isNew = server.boot_id !== bootId
      return {
        ...server,
        url,
        boot_id: bootId,
        boots: server.boots + (isNew ? 1 : 0),
        joined_at: isNew ? at : server.joined_at,
        capacity_streams: capacityStreams,
        memory_limit_bytes: memoryLimitBytes,
        ...(isNew ? { band: null, score: null, risk: null } : {}),
      }
    }
    case 'HealthSampled': {
      const { seq, process, host, streams, viewers, bootId } = event.data.sample
      if (bootId !== server.boot_id) return server
      const { residentBytes, memoryLimitBytes, cpuCores } = process
      return sampled(server, {
        last_sample_at: at,
        last_sample_seq: seq,
        cpu_cores: cpuCores,
        host_cpu_ratio: host.cpuRatio,
        memory_ratio: memoryLimitBytes === null ? host.memoryRatio : residentBytes / memoryLimitBytes,
        streams,
        viewers,
      })
    }
    case 'StabilityAssessed': {
      const { band, score, risk, threshold } = event.data
      return { ...server, band, score, risk, threshold }
    }
    case 'InstabilityPredicted': {
      const { score, risk, threshold } = event.data
      return { ...server, score, risk, threshold, open_prediction: event.id }
    }
    case 'PredictionCleared':
    case 'PredictionResolved':
      return { ...server, open_prediction: null }
    case 'ServerFailed':
      return { ...server, failed_at: at }
    case 'ServerRecovered':
      return { ...server, failed_at: null, band: null }
    case 'ModelActivated':
      return { ...server, model: event.data.model }
    case 'MaintenanceScheduled':
      return { ...server, maintenance: [...withoutWindow(server, event.data.window), event.data] }
    case 'MaintenanceCancelled':
      return { ...server, maintenance: withoutWindow(server, event.data.window) }
    default:
      return server
  }
}

type Sampled =
  'last_sample_at' | 'last_sample_seq' | 'cpu_cores' | 'host_cpu_ratio' | 'memory_ratio' | 'streams' | 'viewers'

/** Most events are samples, and a row takes ten times as long to spread as to write out. */
const sampled = (server: Server, sample: Pick<Server, Sampled>): Server => ({
  server: server.server,
  url: server.url,
  boot_id: server.boot_id,
  boots: server.boots,
  joined_at: server.joined_at,
  capacity_streams: server.capacity_streams,
  memory_limit_bytes: server.memory_limit_bytes,
  standing: server.standing,
  band: server.band,
  score: server.score,
  risk: server.risk,
  threshold: server.threshold,
  open_prediction: server.open_prediction,
  failed_at: server.failed_at,
  draining: server.draining,
  model: server.model,
  last_sample_at: sample.last_sample_at,
  last_sample_seq: sample.last_sample_seq,
  cpu_cores: sample.cpu_cores,
  host_cpu_ratio: sample.host_cpu_ratio,
  memory_ratio: sample.memory_ratio,
  streams: sample.streams,
  viewers: sample.viewers,
  maintenance: server.maintenance,
})

const withoutWindow = ({ maintenance }: Server, window: string): ReadonlyArray<MaintenanceWindow> =>
  maintenance.filter((each) => each.window !== window)
