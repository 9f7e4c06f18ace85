import type { ServerStatus, StreamStatus } from '../../../../src/runtime/control/status.js'
import type { FleetView } from '../../../../src/runtime/fleet/terminal/view.js'
import type { ViewerReport } from '../../../../src/runtime/process/supervision.js'
import { completed, ref, requestedAt } from '../handoverRecord.js'

const server = (id: string, more: Partial<ServerStatus> = {}): ServerStatus => ({
  ...ref(id),
  bootId: `boot-${id}`,
  standing: 'stable',
  score: 99.6,
  primaries: 0,
  location: null,
  roles: 0,
  capacityStreams: 8,
  threshold: 60,
  model: 'hand-1',
  risk: 0.01,
  timeToLimitMs: null,
  factors: [],
  memoryRatio: 0.31,
  cpuCores: 0.12,
  viewers: 0,
  ...more,
})

export const stream: StreamStatus = {
  id: 'main',
  epoch: 2,
  cutover: 5_562_017,
  primary: ref('s2'),
  standby: { ...ref('s3'), synchronized: true },
  handover: null,
  live: 5_562_030,
  buffers: [
    { server: 's2', role: 'primary', encoding: true, live: 5_562_030, segments: 16, verified: 0 },
    { server: 's3', role: 'standby', encoding: false, live: 5_562_029, segments: 12, verified: 8 },
  ],
}

export const viewer: ViewerReport = {
  session: 'viewer-0a1b2c3d-0',
  stream: 'main',
  playing: true,
  server: 's2',
  number: 5_562_028,
  bufferMs: 1_120,
  totals: {
    segments: 132,
    gaps: 0,
    duplicates: 0,
    hashMismatches: 0,
    stalls: 0,
    stallMs: 0,
    bufferMsMax: 1_600,
    latencyMs: 1_500,
  },
}

/** A fleet ten seconds after a predicted handover. */
export const view: FleetView = {
  at: requestedAt + 10_000,
  startedAt: requestedAt - 13_000,
  phase: 'running',
  servers: 3,
  standby: 'warm',
  bufferSegments: 16,
  predict: true,
  controlUrl: 'http://127.0.0.1:7000',
  dataDir: '/home/ann/.local/share/segue/runs/2026-11-22T17-30-07Z',
  status: {
    at: requestedAt + 10_000,
    events: 118,
    broker: 'connected',
    model: null,
    servers: [
      server('s1', { standing: 'unstable', score: 48.1, risk: 0.94, timeToLimitMs: 4_300, memoryRatio: 0.82 }),
      server('s2', { primaries: 1, roles: 1 }),
      server('s3', { roles: 1, score: 100 }),
    ],
    streams: [stream],
    handovers: [completed],
    viewers: [],
  },
  staleMs: null,
  viewers: [viewer],
  notes: [
    { at: requestedAt - 10_000, text: 'the first segment plays, 3.2 s after the start', tone: 'good' },
    { at: requestedAt - 5_000, text: 'fault leak at s1: it takes 15.4 MB more each second', tone: 'accent' },
  ],
  notesTotal: 2,
}
