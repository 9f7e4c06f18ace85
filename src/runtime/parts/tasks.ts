import { ruleBook } from '../../actors/index.js'
import type { EventStore, RecordedEvent } from '../../events/index.js'
import { presentCuts } from '../../events/integrity/index.js'
import {
  auditPart,
  replayLog,
  type AuditedPart,
  type AuditOptions,
  type PartOfAudit,
  type ReplayOptions,
  type ReplayVerdict,
} from '../../projections/index.js'

/** A part of a log, replayed. */
export interface ReplayedPart {
  readonly events: number
  readonly verdict: ReplayVerdict
}

/** What can be done with a part of a log: what has to be said for it, and what comes of it. */
export interface PartTasks {
  readonly replay: { readonly options: null; readonly result: ReplayedPart }
  readonly audit: { readonly options: Omit<AuditOptions, 'book'>; readonly result: AuditedPart }
}
export type PartTask = keyof PartTasks

/** A source of the part's own events. */
export type PartSource = Pick<EventStore, 'readAll' | 'readStream' | 'cuts'>

/** What a replay of a log needs besides its events. */
export async function replayOptionsOf(source: Pick<EventStore, 'readStream' | 'cuts'>): Promise<ReplayOptions> {
  const cuts = await presentCuts(source)
  return {
    readStream: (id) => source.readStream(id),
    statesAt: (id, revision) => (cuts.get(id)?.revision === revision ? cuts.get(id)?.states : undefined),
  }
}

/** Null: there is something that only shows in the whole log. */
export type PartRunner<T extends PartTask> = (
  source: PartSource,
  options: PartTasks[T]['options'],
  part: Pick<PartOfAudit, 'isMine' | 'isLast'>,
) => Promise<PartTasks[T]['result'] | null>

export const partRunners: { readonly [T in PartTask]: PartRunner<T> } = {
  replay: async (source, _options, { isLast }) => {
    let events = 0
    async function* counted(): AsyncIterable<RecordedEvent> {
      for await (const event of source.readAll()) {
        events += 1
        yield event
      }
    }
    const verdict = await replayLog(counted(), ruleBook, { ...(await replayOptionsOf(source)), isLast })
    return verdict.identical ? { events, verdict } : null
  },
  audit: (source, options, part) => auditPart(source, { ...options, book: ruleBook }, part),
}
