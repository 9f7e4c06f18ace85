import { bookOf, type Deciders } from '../../actors/index.js'
import type { RecordedEvent } from '../../events/index.js'
import { Replay, type ReplayVerdict } from '../../projections/index.js'
import type { SimulatedLog } from '../world/log.js'
import type { Checker, CheckerContext } from './checker.js'

export interface ReplayContext extends CheckerContext {
  readonly log: SimulatedLog
  readonly deciders: Deciders
}

/** Invariant 4, by the projection that auditors use; the log has kept the events as JSON. */
export function checkReplay({ log, deciders, violated }: ReplayContext): Checker {
  return {
    finished: async () => {
      const { identical, difference, unreadable } = await verdictOn(log.all, deciders)
      if (identical) return
      const message =
        difference === null
          ? (unreadable ?? 'the log could not be replayed')
          : `${difference.streamId}, revision ${difference.revision}, after ${difference.fact.type}: recorded ${difference.recorded ?? 'nothing'}, derived ${difference.derived ?? 'nothing'}`
      violated('replay', message)
    },
  }
}

async function verdictOn(events: ReadonlyArray<RecordedEvent>, deciders: Deciders): Promise<ReplayVerdict> {
  const replay = new Replay(bookOf(deciders))
  for (const event of events) {
    const going = replay.take(event)
    if (!(typeof going === 'boolean' ? going : await going)) break
  }
  return replay.verdict()
}
