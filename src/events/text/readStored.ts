import * as t from 'io-ts'
import { categoryOf, type Category } from '../catalogue/index.js'
import { definitionOf } from '../codec.js'
import type { EventDefinition } from '../definition.js'
import { EventMetadata, type Position, type RecordedEvent } from '../envelope.js'
import { StoredEvent, type TextInOrder } from '../storedEvent.js'
import { OrderedBytes } from './orderedBytes.js'
import { TextBytes } from './textBytes.js'
import { TextReader, type ShapeReader } from './textReader.js'

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
  /** By schema version: data of older events, of which nothing is known but how they look. */
  readonly older: Map<number, TextReader>
}

const source = new TextBytes()
const target = new OrderedBytes(source)
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
  const texts = reader === undefined ? undefined : readerOfVersion(reader, schemaVersion)
  const data: unknown = texts === undefined ? JSON.parse(stored.data) : texts.read(stored.data)
  conforms &&= texts !== undefined && texts === reader?.data && texts.conforms
  const shape = texts?.shape ?? null
  const ordering =
    shape === null || metadataReader.shape === null
      ? null
      : new Ordering(stored.data, shape, stored.metadata, metadataReader.shape)
  return new StoredEvent(stored, data, metadata, conforms ? (reader?.definition ?? null) : null, ordering)
}

/** The texts of an event, and what puts them in canonical order. */
class Ordering implements TextInOrder {
  readonly #data: string
  readonly #dataShape: ShapeReader
  readonly #metadata: string
  readonly #metadataShape: ShapeReader

  constructor(data: string, dataShape: ShapeReader, metadata: string, metadataShape: ShapeReader) {
    this.#data = data
    this.#dataShape = dataShape
    this.#metadata = metadata
    this.#metadataShape = metadataShape
  }

  bytesOf({ id, revision, schemaVersion, streamId, type }: RecordedEvent): Uint8Array | null {
    target.length = 0
    target.ascii('{"data":')
    if (!this.#dataShape.order(this.#data, target)) return null
    target.ascii(',"id":"')
    if (!target.plain(id)) return null
    target.ascii('","metadata":')
    if (!this.#metadataShape.order(this.#metadata, target)) return null
    target.ascii(`,"revision":${revision},"schemaVersion":${schemaVersion},"stream":"`)
    if (!target.plain(streamId)) return null
    target.ascii('","type":"')
    if (!target.plain(type)) return null
    target.ascii('"}')
    return target.bytes.subarray(0, target.length)
  }
}

function readerOf(streamId: string, type: string): Known | undefined {
  const category = categoryOf(streamId)
  return category === null ? undefined : (known[category].get(type) ?? learn(category, type))
}

function readerOfVersion({ definition, data, older }: Known, schemaVersion: number): TextReader | undefined {
  if (schemaVersion === definition.schemaVersion) return data
  const known = older.get(schemaVersion)
  if (known !== undefined || !(schemaVersion >= 1 && schemaVersion < definition.schemaVersion)) return known
  const fresh = new TextReader(t.unknown, source)
  older.set(schemaVersion, fresh)
  return fresh
}

function learn(category: Category, type: string): Known | undefined {
  const definition = definitionOf(category, type)
  if (definition === undefined) return undefined
  const fresh: Known = { definition, data: new TextReader(definition.data, source), older: new Map() }
  known[category].set(type, fresh)
  return fresh
}
