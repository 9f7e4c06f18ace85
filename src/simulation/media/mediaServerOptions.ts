import type { StationTimes } from '../../media/station/context.js'
import type { Assignment } from '../../messaging/index.js'
import type { Transport } from '../../messaging/transport.js'
import type { SimulatedBroker } from '../world/broker.js'
import type { Network } from '../world/network.js'
import type { SimulatedProcess } from '../world/process.js'
import type { VirtualTime } from '../world/virtualTime.js'
import type { EncoderTemper } from './encoder.js'
import type { SimulatedFeed } from './feed.js'
import type { SimulatedMediaServer } from './mediaServer.js'
import type { Served } from './origin.js'
import type { ServerDefects } from './stationContext.js'

/** What servers tell the checkers. */
export interface ServerObserver {
  readonly started: (server: string) => void
  readonly crashed: (server: string) => void
  readonly served: (served: Served) => void
  readonly assigned: (assignment: Assignment) => void
  readonly reported: (bootId: string, id: string) => void
  readonly sampleTaken: (server: string, id: string, seq: number) => void
  /** From now on it survives a crash of the process. */
  readonly sampleKept: (server: string, id: string) => void
}

export interface MediaServerOptions {
  readonly id: string
  readonly process: SimulatedProcess
  readonly time: VirtualTime
  readonly network: Network
  readonly broker: SimulatedBroker
  readonly times: StationTimes
  readonly feedOf: (stream: string) => SimulatedFeed
  readonly peerOf: (server: string) => SimulatedMediaServer | undefined
  readonly drawTemper: () => EncoderTemper
  readonly copyMs: () => number
  readonly observer: ServerObserver
  readonly defects: ServerDefects
  readonly clientFacts: boolean
  readonly capacityStreams: number
  /** How far apart its health samples say that they are. */
  readonly sampleIntervalMs: number
  /** What a planted defect makes of the way to the broker; nothing in an ordinary run. */
  readonly spoilTransport?: (transport: Transport) => Transport
}
