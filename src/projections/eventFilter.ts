import {
  catalogue,
  parseStreamId,
  type Category,
  type RecordedEvent,
  type SubscriptionFilter,
} from '../events/index.js'

/** Which events are asked for; what is left out admits all. */
export interface EventFilter {
  /** Whole ids of event streams, such as `server-s1`. */
  readonly streams?: ReadonlyArray<string>
  readonly categories?: ReadonlyArray<string>
  readonly types?: ReadonlyArray<string>
  readonly kind?: 'fact' | 'decision'
  /** Everything that belongs together by its correlation: a handover's name, or the id of a fact. */
  readonly correlation?: string
  /** Unix time in milliseconds: from here (inclusive) ... */
  readonly from?: number
  /** ... up to here (exclusive). */
  readonly until?: number
}

/** Whether an event is one of those asked for. */
export function admits(filter: EventFilter, event: RecordedEvent): boolean {
  const { streams, categories, types, kind, correlation, from, until } = filter
  if (types !== undefined && !types.includes(event.type)) return false
  if (streams !== undefined && !streams.includes(event.streamId)) return false
  if (categories !== undefined && !categories.includes(categoryOf(event.streamId))) return false
  const { occurredAt, correlationId } = event.metadata
  if (kind !== undefined && event.metadata.kind !== kind) return false
  if (correlation !== undefined && correlationId !== correlation && event.id !== correlation) return false
  return (from === undefined || occurredAt >= from) && (until === undefined || occurredAt < until)
}

const categoryOf = (streamId: string): string => streamId.slice(0, Math.max(0, streamId.indexOf('-')))

/** The part of a filter that a store can apply itself. */
export function storeFilter({ streams, categories, types }: EventFilter): SubscriptionFilter {
  const streamPrefixes = streams ?? categories?.map((category) => `${category}-`)
  return {
    ...(streamPrefixes === undefined ? {} : { streamPrefixes }),
    ...(types === undefined ? {} : { types }),
  }
}

/** Names of event types that no category has, e.g. because they are misspelt. */
export function unknownTypes(types: ReadonlyArray<string>): ReadonlyArray<string> {
  const known = new Set(Object.values(catalogue).flatMap((definitions) => definitions.map(({ type }): string => type)))
  return types.filter((type) => !known.has(type))
}

/** The data of an event in one line, most telling first: what tables show. */
export function summaryOf({ streamId, data }: RecordedEvent): string {
  const category: Category | null = parseStreamId(streamId)?.category ?? null
  if (typeof data !== 'object' || data === null) return JSON.stringify(data)
  const entries = Object.entries(data).filter(([name]) => name !== category)
  return entries.map(([name, value]) => `${name}=${shortly(value)}`).join(' ')
}

function shortly(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return `[${value.length}]`
  if (typeof value !== 'object' || value === null) return String(value)
  if ('id' in value && typeof value.id === 'string') return value.id
  return `{${Object.entries(value)
    .filter(([, part]) => typeof part !== 'object')
    .slice(0, 4)
    .map(([name, part]) => `${name}=${String(part)}`)
    .join(' ')}}`
}
