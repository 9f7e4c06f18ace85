import type { Deciders } from '../../actors/index.js'
import type { RecordedEvent } from '../../events/index.js'
import { replayAll } from '../../projections/index.js'
import type { SimulatedLog } from '../world/log.js'
import type { Checker, CheckerContext } from './checker.js'

export interface ReplayContext extends CheckerContext {
  readonly log: SimulatedLog
  readonly deciders: Deciders
}

/** Invariant 4, by the projection that auditors use, over events that have been through JSON. */
export function checkReplay({ log, deciders, violated }: ReplayContext): Checker {
  return {
    finished: async () => {
      const verdict = await replayAll(throughJson(log.all), deciders)
      if (verdict.identical) return
      const { difference, unreadable } = verdict
      const message =
        difference === null
          ? (unreadable ?? 'the log could not be replayed')
          : `${difference.streamId}, revision ${difference.revision}, after ${difference.fact.type}: recorded ${difference.recorded ?? 'nothing'}, derived ${difference.derived ?? 'nothing'}`
      violated('replay', message)
    },
  }
}

async function* throughJson(events: ReadonlyArray<RecordedEvent>): AsyncGenerator<RecordedEvent> {
  await Promise.resolve()
  for (const event of events) yield JSON.parse(JSON.stringify(event)) as RecordedEvent
}
