import { createSession, type ViewerSession } from '../client/index.js'
import type { Route } from '../messaging/index.js'
import { nameOf } from './media/bytes.js'
import { createViewerTransport, type HttpHost } from './media/exchange.js'
import { openLine } from './media/lines.js'
import type { SimulatedMediaServer } from './media/mediaServer.js'
import type { Network } from './world/network.js'
import type { SimulatedProcess } from './world/process.js'
import type { Random } from './world/random.js'
import { isSigned } from './world/signer.js'
import type { VirtualTime } from './world/virtualTime.js'

/** What a viewer lived through, told as it happens. */
export interface ViewerObserver {
  readonly played: (number: number, names: { readonly video: string; readonly audio: string }) => void
  readonly skipped: (from: number, to: number) => void
  readonly stalled: (number: number) => void
  readonly recovered: (number: number, stallMs: number) => void
  readonly routed: (route: Route) => void
  readonly ended: (reason: string) => void
}

export interface SimulatedViewerOptions {
  readonly id: string
  readonly stream: string
  readonly process: SimulatedProcess
  readonly time: VirtualTime
  readonly random: Random
  readonly network: Network
  readonly servers: ReadonlyArray<SimulatedMediaServer>
  readonly latencyMs: number
  readonly skewMs: number
  readonly observer: ViewerObserver
}

/** A viewer: the real session of src/client, with a network, channels, clock and hashes of the simulated world. */
export function createSimulatedViewer(options: SimulatedViewerOptions): ViewerSession {
  const { id, stream, process, time, random, network, servers, latencyMs, skewMs, observer } = options
  const byOrigin = new Map<string, SimulatedMediaServer>(servers.map((server) => [server.url, server]))
  const find = (origin: string): HttpHost | undefined => byOrigin.get(origin)
  const session = createSession({
    stream,
    session: id,
    bootstrap: servers.map(({ url }) => url),
    latencyMs,
    startupMs: 600_000,
    transport: createViewerTransport({ viewer: process, network, time, find }),
    openChannel: (url, handlers) => {
      const server = byOrigin.get(`http${url.slice(2, url.indexOf('/', 6))}`)
      if (server === undefined) throw new Error(`no simulated server is at ${url}`)
      const { acceptLine: accept, onEnd: onServerEnd } = server
      return openLine({ viewer: process, server: server.process, accept, handlers, network, time, onServerEnd })
    },
    clock: {
      now: () => time.now() + skewMs,
      setTimer: (run, delayMs) => process.after(delayMs, run),
    },
    crypto: { sha256: nameOf, verify: (_payload, signature, key) => isSigned(signature, key) },
    random: () => random.next(),
    onListenerError: (error) => {
      throw error
    },
  })
  session.on('segment', ({ number, video, audio }) =>
    observer.played(number, { video: nameOf(video), audio: nameOf(audio) }),
  )
  session.on('skipped', ({ from, to }) => observer.skipped(from, to))
  session.on('stall', ({ number }) => observer.stalled(number))
  session.on('recovered', ({ number, stallMs }) => observer.recovered(number, stallMs))
  session.on('routed', ({ route }) => observer.routed(route))
  session.on('ended', ({ reason, error }) => observer.ended(error?.message ?? reason))
  return session
}
