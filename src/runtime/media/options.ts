import { entityId, type Coordinates } from '../../events/index.js'
import type { EncoderFactory, StationMetrics, StationTimes } from '../../media/station/index.js'
import type { MediaLogger } from '../../media/encoder/index.js'
import type { PublishFact } from '../../media/edge/index.js'
import { heartbeatEveryMs as legal, type Fault, type Transport } from '../../messaging/index.js'
import { InvalidMediaServerOption } from './errors.js'

/** What a media server knows about itself when a health sample is taken. */
export interface MediaServerMetrics extends StationMetrics {
  readonly viewers: number
}

/** What a health sampler gets to work with. */
export interface HealthContext {
  readonly server: string
  readonly bootId: string
  readonly dataDir: string
  readonly memoryLimitBytes: number | null
  readonly metrics: () => MediaServerMetrics
  readonly publishFact: PublishFact
}

export interface MediaServerOptions {
  /** Name in the fleet: 1-64 letters, digits, "-" or "_". */
  readonly id: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Where others reach this server, when that is not http://host:port. */
  readonly publicUrl?: string
  /** Closed by whoever made it, after the server has stopped. Give this or `natsUrl`. */
  readonly transport?: Transport
  /** Connects to NATS by itself, see connectNats. */
  readonly natsUrl?: string
  /** Publishes durable facts; default: through a spool in `dataDir`, so that none is lost while the broker is away. */
  readonly publishFact?: PublishFact
  readonly dataDir: string
  /** Limit that something enforces on this process; told to the control plane. */
  readonly memoryLimitMb?: number
  /** Streams that it can carry as primary or hot standby at once. */
  readonly capacityStreams: number
  /** Where it stands; default: nobody knows. */
  readonly location?: Coordinates
  /** From one heartbeat to the next: 20 to 10,000; default 100. It counts as silent after three of them, at least 300 ms. */
  readonly heartbeatMs?: number
  /** Give notices only to viewers with a ticket of their own. Default: to everybody. */
  readonly ticketsRequired?: boolean
  readonly encoderFactory?: EncoderFactory
  /** Starts the sampling of health; see sampleServerHealth. Default: none. */
  readonly health?: (context: HealthContext) => { readonly stop: () => void }
  /** Called for injected faults; without it they are refused. */
  readonly onFault?: (fault: Fault) => void
  readonly logger?: MediaLogger
  readonly times?: Partial<StationTimes>
}

/** @throws InvalidMediaServerOption */
export function checkOptions(options: MediaServerOptions): void {
  const { id, port, capacityStreams, heartbeatMs = legal.usual, publicUrl, transport, natsUrl } = options
  const refuse = (message: string): never => {
    throw new InvalidMediaServerOption(message)
  }
  if ((transport === undefined) === (natsUrl === undefined)) refuse('give either a transport or the address of NATS')
  if (!entityId.is(id)) {
    refuse(`server id "${id}" is not usable: give 1-64 letters, digits, "-" or "_", beginning with a letter or digit`)
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    refuse(`port ${port} is not usable: give a whole number from 0 to 65535`)
  }
  if (!Number.isInteger(capacityStreams) || capacityStreams < 1) {
    refuse(`a capacity of ${capacityStreams} streams is not usable: give 1 or more`)
  }
  if (!(heartbeatMs >= legal.min && heartbeatMs <= legal.max)) {
    refuse(`a heartbeat every ${heartbeatMs} ms is not usable: give ${legal.min} to ${legal.max}`)
  }
  if (publicUrl !== undefined && !/^https?:\/\/[^/]/.test(publicUrl)) {
    refuse(`the public address "${publicUrl}" is not usable: give http://host:port`)
  }
}
