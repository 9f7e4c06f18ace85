import type { Category } from '../catalogue/index.js'
import { categoryOf } from '../catalogue/index.js'
import { definitionOf } from '../codec.js'
import type { EventDefinition } from '../definition.js'
import { EventMetadata, type Position, type RecordedEvent } from '../envelope.js'
import { StoredEvent } from '../storedEvent.js'
import { TextBytes } from './textBytes.js'
import { TextReader } from './textReader.js'

/** An event as a store keeps it: its data and metadata are JSON texts. */
export interface StoredTexts {
  readonly streamId: string
  readonly revision: number
  readonly position: Position
  readonly id: string
  readonly type: string
  readonly schemaVersion: number
  readonly data: string
  readonly metadata: string
}

interface Known {
  readonly definition: EventDefinition
  readonly data: TextReader
}

const source = new TextBytes()
const metadataReader = new TextReader(EventMetadata, source)
const known: { readonly [C in Category]: Map<string, Known> } = {
  server: new Map(),
  stream: new Map(),
  client: new Map(),
  model: new Map(),
}

/**
 * The event, with its texts parsed. That it conforms to its definition, as nearly every event does, is found out in passing:
 * `decodeEvent` need not look again.
 * @throws SyntaxError for texts that are no JSON
 */
export function readStored(stored: StoredTexts): RecordedEvent {
  const { type, schemaVersion } = stored
  const reader = readerOf(stored.streamId, type)
  const metadata = metadataReader.read(stored.metadata) as EventMetadata
  let conforms = metadataReader.conforms
  let data: unknown
  if (reader?.definition.schemaVersion === schemaVersion) {
    data = reader.data.read(stored.data)
    conforms &&= reader.data.conforms
  } else {
    data = JSON.parse(stored.data)
    conforms = false
  }
  return new StoredEvent(stored, data, metadata, conforms ? (reader?.definition ?? null) : null)
}

function readerOf(streamId: string, type: string): Known | undefined {
  const category = categoryOf(streamId)
  return category === null ? undefined : (known[category].get(type) ?? learn(category, type))
}

function learn(category: Category, type: string): Known | undefined {
  const definition = definitionOf(category, type)
  if (definition === undefined) return undefined
  const fresh: Known = { definition, data: new TextReader(definition.data, source) }
  known[category].set(type, fresh)
  return fresh
}
