import { factMessage, type PublishFact } from '../../media/edge/index.js'
import {
  hearRoll,
  isCovered,
  isNewer,
  subjects,
  type RollCallPart,
  type Route,
  type Transport,
  type Unsubscribe,
} from '../../messaging/index.js'
import type { DeadLetters } from './deadLetters.js'

export interface RollCallOptions {
  readonly transport: Transport
  readonly server: string
  readonly bootId: string
  readonly publishFact: PublishFact
  readonly deadLetter: DeadLetters
  /** The newest routes that are known here. */
  readonly routes: () => ReadonlyArray<Route>
  /** Says again who is here. */
  readonly introduce: () => void
}

/**
 * Compares what the control plane's log knows with what is known here. Where the log is behind, because it was lost or brought
 * back from a copy, this server joins again (when it was missing twice in a row) and reports the route that it and its viewers follow.
 */
export function answerRollCall(options: RollCallOptions): Unsubscribe {
  const { transport, server, bootId, publishFact, deadLetter, routes, introduce } = options

  const report = ({ stream, epoch, cutover, primary, standby, previous, sequence }: Route): void => {
    const route = { epoch, cutover, primary, standby, previous, sequence }
    const payload = { type: 'RouteReported', data: { edge: server, route } } as const
    publishFact(subjects.stream(stream), factMessage(Date.now(), payload, server, stream, bootId))
  }

  // The first call without us may have come before our introduction was heard.
  let missed = false
  const compare = ({ servers, streams, covers }: RollCallPart): void => {
    if (isCovered(server, covers.servers)) {
      const isMissing = !servers.some((known) => known.id === server && known.bootId === bootId)
      if (isMissing && missed) introduce()
      missed = isMissing
    }
    const known = new Map(streams.map((stream) => [stream.id, stream]))
    for (const route of routes()) {
      if (isCovered(route.stream, covers.streams) && isNewer(route, known.get(route.stream) ?? null)) report(route)
    }
  }
  return hearRoll(transport, compare, deadLetter)
}
