import { streamIdOf } from '../../events/index.js'
import type { FactMessage } from '../../messaging/index.js'
import type { SimulatedLog } from '../world/log.js'
import type { Checker, CheckerContext } from './checker.js'

export interface IndependenceContext extends CheckerContext {
  readonly log: SimulatedLog
  /** Two control planes share the work: what one of them holds is overtaken by what the other takes. */
  readonly orderMayBreak: boolean
  /** Nothing in this world touches what viewers get their media from. */
  readonly viewersSpared: boolean
}

/** Invariant 6: the media go on without those who decide, and what was measured meanwhile arrives, in order, once. */
export function checkIndependence({ log, viewersSpared, orderMayBreak, violated }: IndependenceContext): Checker {
  const kept = new Map<string, Set<string>>()
  // A message that a consumer took to its grave comes back behind its successors: the broker gives it up only then.
  const redelivered = new Set<string>()
  const wrong = (message: string): void => violated('independence', message)
  return {
    stalled: (viewer, number) => {
      if (viewersSpared)
        wrong(`${viewer} stalled at ${number} although only control plane, broker or store was disturbed`)
    },
    sampleKept: (server, id) => {
      const ids = kept.get(server) ?? new Set()
      kept.set(server, ids.add(id))
    },
    redelivered: (data) => void redelivered.add((data as FactMessage).id),
    finished: () => {
      for (const [server, ids] of kept) {
        const newest = new Map<string, number>()
        for (const event of log.stream(streamIdOf('server', server))) {
          if (event.type !== 'HealthSampled') continue
          const { bootId, seq } = (event.data as { readonly sample: { readonly bootId: string; readonly seq: number } })
            .sample
          const before = newest.get(bootId) ?? -1
          if (seq <= before && !orderMayBreak && !redelivered.has(event.id))
            wrong(`sample ${seq} of ${bootId} was recorded after sample ${before}`)
          newest.set(bootId, Math.max(before, seq))
          ids.delete(event.id)
        }
        for (const id of ids) wrong(`a sample of ${server} (${id}) never arrived`)
      }
    },
  }
}
