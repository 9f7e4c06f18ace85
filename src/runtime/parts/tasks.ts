import { ruleBook } from '../../actors/index.js'
import type { EventStore } from '../../events/index.js'
import { presentCuts } from '../../events/integrity/index.js'
import {
  auditPart,
  replayCounted,
  type AuditedPart,
  type AuditOptions,
  type PartOfAudit,
  type ReplayOptions,
  type ReplayCounted,
} from '../../projections/index.js'

/** What can be done with a part of a log: what has to be said for it, and what comes of it. */
export interface PartTasks {
  readonly replay: { readonly options: null; readonly result: ReplayCounted }
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
    const replayed = await replayCounted(source.readAll(), ruleBook, { ...(await replayOptionsOf(source)), isLast })
    return replayed.verdict.identical ? replayed : null
  },
  audit: (source, options, part) => auditPart(source, { ...options, book: ruleBook }, part),
}
