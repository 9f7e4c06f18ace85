import { request } from 'undici'
import * as E from 'fp-ts/lib/Either.js'
import { activeModel, type ServerState, type StreamState } from '../../actors/index.js'
import type { Factor, FleetServer, ServerRef } from '../../events/index.js'
import type { Weights } from '../../model/index.js'
import { Manifest } from '../../messaging/index.js'
import type { HandoverRecord } from '../../projections/index.js'
import type { ViewerStatus } from './viewersAwake.js'
import type { FleetIndex } from './fleetIndex.js'

export type { ViewerStatus } from './viewersAwake.js'

export interface ServerStatus extends FleetServer {
  /** Name of the model that judges it. */
  readonly model: string
  readonly threshold: number
  readonly risk: number | null
  readonly timeToLimitMs: number | null
  readonly factors: ReadonlyArray<Factor>
  readonly memoryRatio: number | null
  readonly cpuCores: number | null
  readonly viewers: number
}

export interface BufferStatus {
  readonly server: string
  readonly role: Manifest['role']
  readonly encoding: boolean
  readonly live: number | null
  readonly segments: number
  readonly verified: number
}

export interface StreamStatus {
  readonly id: string
  readonly epoch: number
  readonly cutover: number
  readonly primary: ServerRef | null
  readonly standby: (ServerRef & { readonly synchronized: boolean }) | null
  readonly handover: { readonly id: string; readonly phase: string } | null
  readonly live: number | null
  readonly buffers: ReadonlyArray<BufferStatus>
}

/** The model in force. */
export interface ModelStatus {
  readonly model: string
  readonly artifact: string
  /** Weight of each metric group in the stability score. */
  readonly weights: Weights
  readonly reason: string
}

/** What GET /api/status answers. */
export interface ControlStatus {
  readonly at: number
  readonly events: number
  readonly broker: string
  readonly model: ModelStatus | null
  readonly servers: ReadonlyArray<ServerStatus>
  readonly streams: ReadonlyArray<StreamStatus>
  readonly handovers: ReadonlyArray<HandoverRecord>
  readonly viewers: ReadonlyArray<ViewerStatus>
}

const manifestTimeoutMs = 250
const manifestMaxAgeMs = 1_000

/** Looks at the buffers of servers over HTTP, at most once a second however often it is asked. */
export class BufferWatch {
  readonly #seen = new Map<string, { readonly at: number; readonly answer: Promise<BufferStatus | null> }>()

  constructor(private readonly now: () => number) {}

  async look(stream: string, server: ServerRef): Promise<BufferStatus | null> {
    const url = `${server.url}/streams/${stream}/manifest.json`
    const known = this.#seen.get(url)
    if (known !== undefined && this.now() - known.at < manifestMaxAgeMs) return known.answer
    const answer = fetchBuffer(url, server.id).catch(() => null)
    this.#seen.set(url, { at: this.now(), answer })
    return answer
  }
}

async function fetchBuffer(url: string, server: string): Promise<BufferStatus | null> {
  const { statusCode, body } = await request(url, {
    headersTimeout: manifestTimeoutMs,
    bodyTimeout: manifestTimeoutMs,
    signal: AbortSignal.timeout(manifestTimeoutMs),
  })
  if (statusCode !== 200) {
    await body.dump()
    return null
  }
  const manifest = Manifest.decode(await body.json())
  if (E.isLeft(manifest)) return null
  const { role, encoding, live, segments } = manifest.right
  const verified = segments.filter((segment) => segment.verified).length
  return { server, role, encoding, live, segments: segments.length, verified }
}

/** Puts the status together from the actors' present states. */
export async function statusOf(
  index: FleetIndex,
  buffers: BufferWatch,
): Promise<Pick<ControlStatus, 'model' | 'servers' | 'streams'>> {
  const fleet = index.fleet()
  const servers = index.servers().flatMap((state) => {
    const entry = fleet.find((each) => each.id === state.server)
    return entry === undefined ? [] : serverStatus(state, entry)
  })
  const streams = await Promise.all(index.streams().map((stream) => streamStatus(stream, buffers)))
  return { model: modelStatus(index), servers: servers.toSorted((a, b) => (a.id < b.id ? -1 : 1)), streams }
}

function modelStatus({ model }: FleetIndex): ModelStatus | null {
  if (model === null || model.active === null) return null
  const { model: name, artifact, weights } = model.active
  return { model: name, artifact, weights, reason: activeModel(model)?.reason ?? '' }
}

function serverStatus(state: ServerState, entry: FleetServer): ServerStatus {
  const last = state.window.entries.at(-1)
  const limit = last?.memoryLimitBytes ?? null
  const { assessment } = state
  return {
    ...entry,
    threshold: state.threshold,
    model: state.model,
    risk: assessment?.risk ?? null,
    timeToLimitMs: assessment?.timeToLimitMs ?? null,
    factors: assessment?.factors ?? [],
    memoryRatio: typeof last?.residentBytes === 'number' && limit !== null ? last.residentBytes / limit : null,
    cpuCores: last?.cpuCores ?? null,
    viewers: last?.viewers ?? 0,
  }
}

async function streamStatus(state: StreamState, watch: BufferWatch): Promise<StreamStatus> {
  const { route, standby, handover, retiring } = state
  const parts = [route?.primary, handover?.target, standby?.server, retiring?.server]
  const servers = [...new Map(parts.flatMap((ref) => (ref === undefined ? [] : [[ref.id, ref] as const]))).values()]
  const buffers = (await Promise.all(servers.map((server) => watch.look(state.stream, server)))).flatMap((buffer) =>
    buffer === null ? [] : buffer,
  )
  return {
    id: state.stream,
    epoch: route?.epoch ?? 0,
    cutover: route?.cutover ?? 0,
    primary: route?.primary ?? null,
    standby: standby === null ? null : { ...standby.server, synchronized: standby.synchronized },
    handover: handover === null ? null : { id: handover.id, phase: handover.phase },
    live: buffers.find((buffer) => buffer.server === route?.primary.id)?.live ?? null,
    buffers,
  }
}
