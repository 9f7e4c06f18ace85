import type { EventDefinition } from './definition.js'
import type { EventMetadata, Position, RecordedEvent } from './envelope.js'

/** The texts that an event was made of. */
export interface TextInOrder {
  /**
   * The event with its properties in canonical order and its values written as they were: canonical JSON where they were
   * written canonically, which nobody has looked at. To be used before the next is asked for. Null: it cannot be made so.
   */
  readonly bytesOf: (event: RecordedEvent) => Uint8Array | null
}

/**
 * An event that was made of the texts that a store keeps. It remembers what was found out while they were read; copies of
 * it, with other data for instance, do not.
 */
export class StoredEvent implements RecordedEvent {
  readonly id: string
  readonly type: string
  readonly schemaVersion: number
  readonly data: unknown
  readonly metadata: EventMetadata
  readonly streamId: string
  readonly revision: number
  readonly position: Position
  /** What data and metadata were found to conform to; null: not looked at, or they do not. */
  readonly #conformsTo: EventDefinition | null
  readonly #text: TextInOrder | null

  constructor(
    place: Omit<RecordedEvent, 'data' | 'metadata'>,
    data: unknown,
    metadata: EventMetadata,
    conformsTo: EventDefinition | null,
    text: TextInOrder | null,
  ) {
    this.id = place.id
    this.type = place.type
    this.schemaVersion = place.schemaVersion
    this.data = data
    this.metadata = metadata
    this.streamId = place.streamId
    this.revision = place.revision
    this.position = place.position
    this.#conformsTo = conformsTo
    this.#text = text
  }

  /** Whether an event was made of the texts of a store. */
  static is(event: object): boolean {
    return #conformsTo in event
  }

  /** Whether an event was found to conform to a definition when it was read. */
  static conforms(event: object, definition: EventDefinition): boolean {
    return #conformsTo in event && event.#conformsTo === definition
  }

  /** See `TextInOrder`; null for events that were not made of texts. */
  static textInOrder(event: RecordedEvent): Uint8Array | null {
    return #text in event ? (event.#text?.bytesOf(event) ?? null) : null
  }
}
