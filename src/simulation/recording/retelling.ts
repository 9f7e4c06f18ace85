import { derivedId, streamIdOf, parseStreamId, type Category, type EventIn } from '../../events/index.js'
import type { RecordedAppend } from './actors.js'

/** Names of the data that hold a Unix time in milliseconds. */
const times = new Set([
  'at',
  'takenAt',
  'startedAt',
  'firstSignalAt',
  'lastHeartbeatAt',
  'deadlineAt',
  'requestedAt',
  'reachedAt',
])

export interface RetellingOptions {
  /** How much later it all happens. */
  readonly shiftMs: number
  /** Part of every name in the record, and what stands there in the retelling; of equal length. */
  readonly mark: string
  readonly newMark: string
}

/**
 * The same record at another time with other names, of which every decision follows from its fact again: deciders see
 * only how far apart times are. It costs a hundredth of recording anew.
 */
export function retelling({ shiftMs, mark, newMark }: RetellingOptions): (append: RecordedAppend) => RecordedAppend {
  const ids = new Map<string, string>()
  const text = (value: string): string =>
    ids.get(value) ?? (value.includes(mark) ? value.replaceAll(mark, newMark) : value)
  const anew = (value: unknown, name: string): unknown => {
    if (typeof value === 'string') return text(value)
    if (typeof value === 'number') return times.has(name) ? value + shiftMs : value
    if (Array.isArray(value)) return value.map((item) => anew(item, ''))
    if (typeof value !== 'object' || value === null) return value
    const copy: Record<string, unknown> = {}
    for (const key in value) copy[key] = anew((value as Record<string, unknown>)[key], key)
    return copy
  }
  return ({ streamId, events }) => {
    const name = parseStreamId(streamId)
    const newStreamId = name === null ? streamId : streamIdOf(name.category, text(name.entity))
    let factId = ''
    const retold = events.map((event, index): EventIn<Category> => {
      const at = event.metadata.occurredAt + shiftMs
      const id =
        index === 0 ? derivedId(at, 'retelling', newMark, event.id) : derivedId(at, factId, index - 1, event.type)
      if (index === 0) factId = id
      ids.set(event.id, id)
      const { correlationId, causationId } = event.metadata
      const metadata = {
        ...event.metadata,
        correlationId: text(correlationId),
        causationId: causationId === null ? null : text(causationId),
        occurredAt: at,
      }
      return { ...event, id, data: anew(event.data, ''), metadata } as unknown as EventIn<Category>
    })
    return { streamId: newStreamId, events: retold }
  }
}
