import type { StreamPayload } from '../../events/index.js'
import type { StationTimes } from '../../media/station/context.js'
import type { Route } from '../../messaging/index.js'
import type { SimulatedProcess } from '../world/process.js'
import type { EncoderTemper } from './encoder.js'
import type { SimulatedFeed } from './feed.js'
import type { SimulatedStation } from './station.js'

/** What a station stands on. */
export interface StationContext {
  readonly server: string
  readonly process: SimulatedProcess
  readonly nowMs: () => number
  /** The server's own wall clock, which may be wrong. */
  readonly wallMs: () => number
  readonly times: StationTimes
  readonly feed: SimulatedFeed
  readonly drawTemper: () => EncoderTemper
  /** The station of a peer, if it answers at this moment. */
  readonly reach: (peer: string, stream: string) => SimulatedStation | 'lacks' | null
  readonly copyMs: () => number
  readonly report: (
    stream: string,
    payload: StreamPayload,
    identity: ReadonlyArray<string | number>,
  ) => {
    readonly again: () => void
  }
  readonly askRoute: (stream: string, standby: string | null, answer: (route: Route | null) => void) => void
  readonly defects: ServerDefects
}

/** Planted defects of media servers; none in an ordinary run. */
export interface ServerDefects {
  /** Serves numbers that belong to a newer epoch, as if it had not been told. */
  readonly fenceless: boolean
  /** After a suspension it goes on as if nothing had been. */
  readonly neverAsks: boolean
  /** Says that it has reached K as soon as it is told. */
  readonly reportsEarly: boolean
}
