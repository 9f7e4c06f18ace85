import { createHash } from 'node:crypto'
import type {
  AllStreamResolvedEvent,
  ResolvedEvent,
  EventData,
  MetadataType,
  Position as DbPosition,
} from '@eventstore/db-client'
import type { EventMetadata, Position, RecordedEvent, SegueEvent } from '../../envelope.js'
import { StoreCorrupt } from '../../errors.js'
import type { EventText } from '../appendBytes.js'

/** Stands in the metadata of each event of ours; raised with every change that older programs could not read. */
const format = 1

/** The name that a stream has in the server. */
export const nameIn = (namespace: string, streamId: string): string => `${namespace}.${streamId}`

/**
 * The event as the server keeps it. Its id there is derived from all of its content: the server recognises a repeat by ids
 * alone, and would take another content under the same id for written. So what it calls written is exactly what was given;
 * see docs/adr/0015. The event's own id stands in the metadata, with the names that EventStoreDB knows for correlation and
 * causation.
 */
export function encodeEvent(event: SegueEvent, text: EventText): EventData {
  const { correlationId, causationId, ...others } = event.metadata
  return {
    id: contentId(event, text),
    contentType: 'application/json',
    type: event.type,
    // JSON has no undefined; an event without data is one with null.
    data: (event.data ?? null) as Record<string, unknown>,
    metadata: bytesOf({
      segue: format,
      id: event.id,
      schemaVersion: event.schemaVersion,
      $correlationId: correlationId,
      ...(causationId === null ? {} : { $causationId: causationId }),
      ...others,
    }),
  }
}

const encoder = new TextEncoder()

/** JSON as bytes: metadata given as an object goes through Base64 in the client, and back. */
const bytesOf = (metadata: Readonly<Record<string, unknown>>): MetadataType => encoder.encode(JSON.stringify(metadata))

/** Keeps the time in front, as in the event's own id (UUID version 8, RFC 9562 section 5.8). */
function contentId(event: SegueEvent, { data, metadata }: EventText): string {
  const hash = createHash('sha256')
    .update(`${event.id}\n${event.type}\n${event.schemaVersion}\n${metadata}\n${data}`)
    .digest('hex')
  const time = uuid.test(event.id) ? event.id.slice(0, 13) : `${hash.slice(18, 26)}-${hash.slice(26, 30)}`
  return `${time}-8${hash.slice(0, 3)}-8${hash.slice(3, 6)}-${hash.slice(6, 18)}`
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-/i

type AnyResolved = AllStreamResolvedEvent | ResolvedEvent

/**
 * Reads an event of the server back; undefined for one that is not of this namespace.
 * @throws StoreCorrupt for one that is, but that we did not write or cannot read
 */
export function decodeResolved(resolved: AnyResolved, namespace: string, where: string): RecordedEvent | undefined {
  const { event } = resolved
  const prefix = `${namespace}.`
  if (event === undefined || !event.streamId.startsWith(prefix) || event.type.startsWith('$')) return undefined
  const { segue, id, schemaVersion, $correlationId, $causationId, ...others } = metadataOf(event, where)
  const position = event.position ?? positionFallback(resolved)
  if (position === undefined) throw new StoreCorrupt(where, tooOld)
  if (typeof segue === 'number' && segue > format) {
    throw new StoreCorrupt(where, `${placeOf(event)} was written by a newer version of Segue: update Segue`)
  }
  return {
    id: String(id),
    type: event.type,
    schemaVersion: Number(schemaVersion),
    data: event.data,
    metadata: {
      ...others,
      correlationId: $correlationId,
      causationId: $causationId ?? null,
    } as unknown as EventMetadata,
    streamId: event.streamId.slice(prefix.length),
    revision: Number(event.revision),
    position: fromDbPosition(position),
  }
}

const tooOld = 'the server tells no positions with its events; it must be EventStoreDB 22.6 or later'

const positionFallback = (resolved: AnyResolved): DbPosition | undefined =>
  resolved.commitPosition === undefined
    ? undefined
    : { commit: resolved.commitPosition, prepare: resolved.commitPosition }

type Stored = NonNullable<AnyResolved['event']>

function metadataOf(event: Stored, where: string): Readonly<Record<string, unknown>> {
  const metadata: unknown = event.metadata
  if (event.isJson && typeof metadata === 'object' && metadata !== null && 'segue' in metadata) {
    return metadata
  }
  const reason = `${placeOf(event)} was not written by Segue; give a namespace that other programs do not use`
  throw new StoreCorrupt(where, reason)
}

const placeOf = ({ streamId, revision, type }: Stored): string => `event ${revision} of stream ${streamId} (${type})`

// 20 digits hold every 64-bit integer, and equal length makes the order of the strings that of the numbers.
const digits = 20

/** Both parts differ only for events that old servers wrote in explicit transactions. */
export function fromDbPosition({ commit, prepare }: DbPosition): Position {
  const text = String(commit).padStart(digits, '0')
  return (commit === prepare ? text : `${text}-${String(prepare).padStart(digits, '0')}`) as Position
}

/** @throws RangeError for a position of another kind of store */
export function toDbPosition(position: Position): DbPosition {
  const [, commit, prepare = commit] = /^(\d{20})(?:-(\d{20}))?$/.exec(position) ?? []
  if (commit === undefined || prepare === undefined) {
    throw new RangeError(
      `${JSON.stringify(position)} is no position of this store; positions cannot be moved between stores`,
    )
  }
  return { commit: BigInt(commit), prepare: BigInt(prepare) }
}
