import type { ServerRef } from '../../events/index.js'
import type { Route } from '../../messaging/index.js'
import type { PublishFact } from '../edge/index.js'
import type { Encoder, EncoderOptions, MediaLogger } from '../encoder/index.js'
import type { Peer } from '../stitching/index.js'

/** Starts an encoder; createEncoder, or a stand-in. */
export type EncoderFactory = (options: EncoderOptions) => Encoder

/** How long things may take at a station; in milliseconds. */
export interface StationTimes {
  /** Without a request for so long, a drained stream has no viewers any more. */
  readonly quietMs: number
  /** A task gives up after this, when the control plane has not done so before. */
  readonly taskMsMax: number
  /** A standby fills up from its primary for so long before it says that it cannot. */
  readonly synchronizeMsMax: number
  readonly probeMs: number
  readonly probeEveryMs: number
  /** A self-started encoder is stopped once the primary has been answering for so long. */
  readonly peerBackMs: number
  readonly tickMs: number
}

export const defaultStationTimes: StationTimes = {
  quietMs: 1_500,
  taskMsMax: 15_000,
  synchronizeMsMax: 8_000,
  probeMs: 200,
  probeEveryMs: 250,
  peerBackMs: 5_000,
  tickMs: 25,
}

/** What a station stands on. */
export interface StationContext {
  readonly server: string
  readonly bootId: string
  readonly createEncoder: EncoderFactory
  readonly connectPeer: (stream: string, ref: ServerRef) => Peer
  readonly publishFact: PublishFact
  /** Asks control plane and standby for the present route; null when nobody answers. */
  readonly askRoute: (stream: string, standby: ServerRef | null) => Promise<Route | null>
  readonly checkSuspension: () => void
  readonly nowMs: () => number
  readonly times: StationTimes
  readonly logger: MediaLogger
}
