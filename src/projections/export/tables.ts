import type { EventIn } from '../../events/index.js'
import {
  anyTable,
  clientSessions,
  handovers,
  handoverSteps,
  models,
  predictions,
  type Row,
  type RowIn,
  type Table,
} from '../readModel/index.js'
import { integer, json, optional, real, table, text, time } from '../readModel/table.js'

export const healthSamples = table(
  'health_samples',
  'Every health sample of a media server.',
  ['server', 'boot_id', 'seq'],
  {
    server: text('server that was measured'),
    boot_id: text('changes with every start of its process'),
    seq: integer('number of the sample within the boot, from 0'),
    recorded_at: time('when it was recorded, by the clock of the control plane'),
    taken_at: time('when it was taken, by the clock of the server'),
    interval_ms: real('time that it covers, in milliseconds'),
    host_cpu_ratio: optional(real('busy share of the whole machine, 0 to 1')),
    host_load1: optional(real('load average over one minute')),
    host_cores: integer('cores of the machine'),
    host_memory_ratio: optional(real('used share of the memory of the machine, 0 to 1')),
    disk_latency_ms: optional(real('time of a write to disk, in milliseconds')),
    disk_busy_ratio: optional(real('busy share of the disk, 0 to 1')),
    network_rx_bytes_per_s: optional(real('bytes received a second')),
    network_tx_bytes_per_s: optional(real('bytes sent a second')),
    network_errors_per_s: optional(real('network errors a second')),
    cpu_cores: real('cores used by the process'),
    resident_bytes: integer('resident memory of the process'),
    memory_limit_bytes: optional(integer('its memory limit')),
    event_loop_delay_ms: real('worst delay of its event loop, in milliseconds'),
    encoders: integer('encoders that ran'),
    encoder_speed: optional(real('media seconds encoded a second, worst encoder')),
    encoder_lateness_ms: optional(real('how late the last segment was, worst encoder, in milliseconds')),
    streams: integer('streams with a part on the server'),
    viewers: integer('sessions that it served'),
    rtt_ms: optional(real('round trip of the newest probe, in milliseconds')),
    loss_ratio: optional(real('share of heartbeats that did not arrive, 0 to 1')),
    jitter_ms: optional(real('jitter of heartbeats, RFC 3550, in milliseconds')),
  },
)

export const assessments = table('assessments', 'Every assessment of a server that was recorded.', ['assessment'], {
  assessment: text('id of the event StabilityAssessed'),
  server: text('server that was judged'),
  assessed_at: time('when it was judged'),
  score: real('stability score, 0 (failing) to 100 (healthy)'),
  band: text('stable, watch or unstable'),
  risk: real('probability that an incident starts within the horizon'),
  threshold: real('score below which a server counts as unstable'),
  time_to_limit_ms: optional(real('until the first metric reaches its limit if its trend goes on, in milliseconds')),
  sample_seq: integer('newest sample that was looked at'),
  factors: json<unknown>('metric groups with the points they took off'),
})

/** A table that is made of single events of servers, in the order of the log. */
export interface LogTable {
  readonly type: 'log'
  readonly table: Table
  readonly event: string
  readonly rowOf: (server: string, event: EventIn<'server'>) => Row | null
}

/** A table of a projection; `time` is the column that a range of time is about, null where there is none. */
export interface ProjectedTable {
  readonly type: 'projection'
  readonly table: Table
  readonly time: string | null
}

export type ExportTable = LogTable | ProjectedTable

/** Everything that can be exported, in the order in which it is written. */
export const exportTables: ReadonlyArray<ExportTable> = [
  { type: 'log', table: anyTable(healthSamples), event: 'HealthSampled', rowOf: healthRow },
  { type: 'log', table: anyTable(assessments), event: 'StabilityAssessed', rowOf: assessmentRow },
  { type: 'projection', table: anyTable(predictions), time: 'predicted_at' },
  { type: 'projection', table: anyTable(handovers), time: 'requested_at' },
  { type: 'projection', table: anyTable(handoverSteps), time: 'recorded_at' },
  { type: 'projection', table: anyTable(clientSessions), time: 'connected_at' },
  { type: 'projection', table: anyTable(models), time: null },
]

function healthRow(server: string, event: EventIn<'server'>): RowIn<typeof healthSamples> | null {
  if (event.type !== 'HealthSampled') return null
  const { sample, path } = event.data
  const { host, process, encoder } = sample
  return {
    server,
    boot_id: sample.bootId,
    seq: sample.seq,
    recorded_at: event.metadata.occurredAt,
    taken_at: sample.takenAt,
    interval_ms: sample.intervalMs,
    host_cpu_ratio: host.cpuRatio,
    host_load1: host.load1,
    host_cores: host.cores,
    host_memory_ratio: host.memoryRatio,
    disk_latency_ms: host.diskLatencyMs,
    disk_busy_ratio: host.diskBusyRatio,
    network_rx_bytes_per_s: host.networkRxBytesPerS,
    network_tx_bytes_per_s: host.networkTxBytesPerS,
    network_errors_per_s: host.networkErrorsPerS,
    cpu_cores: process.cpuCores,
    resident_bytes: process.residentBytes,
    memory_limit_bytes: process.memoryLimitBytes,
    event_loop_delay_ms: process.eventLoopDelayMs,
    encoders: encoder.running,
    encoder_speed: encoder.speed,
    encoder_lateness_ms: encoder.latenessMs,
    streams: sample.streams,
    viewers: sample.viewers,
    rtt_ms: path.rttMs,
    loss_ratio: path.lossRatio,
    jitter_ms: path.jitterMs,
  }
}

function assessmentRow(server: string, event: EventIn<'server'>): RowIn<typeof assessments> | null {
  if (event.type !== 'StabilityAssessed') return null
  const { score, band, risk, threshold, timeToLimitMs, sampleSeq, factors } = event.data
  return {
    ...{ assessment: event.id, server, assessed_at: event.metadata.occurredAt, score, band, risk, threshold },
    ...{ time_to_limit_ms: timeToLimitMs, sample_seq: sampleSeq, factors },
  }
}
