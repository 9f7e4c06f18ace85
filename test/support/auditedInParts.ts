import { parseStreamId, type EventStore } from '../../src/events/index.js'
import {
  auditOfParts,
  auditPart,
  type AuditedPart,
  type AuditOptions,
  type AuditResult,
} from '../../src/projections/index.js'

/** Which of so many parts a stream belongs to. Streams of one kind are spread over all of them. */
const partOf = (streamId: string, parts: number): number =>
  [...(parseStreamId(streamId)?.entity ?? '')].reduce((sum, letter) => sum + letter.charCodeAt(0), streamId.length) %
  parts

/** The result over parts of a log that were audited each by itself; null when one of them found anything. */
export async function auditedInParts(
  store: EventStore,
  options: AuditOptions,
  count: number,
): Promise<AuditResult | null> {
  const parts: AuditedPart[] = []
  for (let part = 0; part < count; part += 1) {
    const isMine = (streamId: string): boolean => partOf(streamId, count) === part
    async function* mine() {
      for await (const event of store.readAll()) if (isMine(event.streamId)) yield event
    }
    const source = { readAll: mine, readStream: (id: string) => store.readStream(id) }
    const ends = new Map<string, number>()
    for await (const { streamId, revision } of store.readAll()) ends.set(streamId, revision)
    const isLast = (streamId: string, revision: number): boolean => ends.get(streamId) === revision
    const audited = await auditPart(source, options, { isMine, isLast })
    if (audited === null) return null
    parts.push(audited)
  }
  return auditOfParts(store, parts)
}
