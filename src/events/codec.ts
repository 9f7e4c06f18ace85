import * as E from 'fp-ts/lib/Either.js'
import {
  catalogue,
  type Category,
  type ClientPayload,
  type ModelPayload,
  type ServerPayload,
  type StreamPayload,
} from './catalogue/index.js'
import { conformanceOf, type Conforms } from './conformance.js'
import type { EventDefinition } from './definition.js'
import { EventMetadata, type SegueEvent } from './envelope.js'
import { describeErrors } from './report.js'
import { StoredEvent } from './storedEvent.js'
import { upcast } from './upcast.js'

/** An event does not fit its definition. `field` says which part; the message says what was found. */
export class InvalidEvent extends Error {
  readonly _tag = 'InvalidEvent'
  constructor(
    readonly eventType: string,
    reason: string,
  ) {
    super(`event ${eventType}: ${reason}`)
  }
}

export interface PayloadByCategory {
  readonly server: ServerPayload
  readonly stream: StreamPayload
  readonly client: ClientPayload
  readonly model: ModelPayload
}

/** Type and data of any event of a category. */
export type Payload<C extends Category> = PayloadByCategory[C]

/** Any event of a category, with the data typed by `type`. */
export type EventIn<C extends Category> = {
  [T in Payload<C>['type']]: SegueEvent<T, Extract<Payload<C>, { readonly type: T }>['data']>
}[Payload<C>['type']]

const definitions: { readonly [C in Category]: ReadonlyMap<string, EventDefinition> } = {
  server: byType(catalogue.server),
  stream: byType(catalogue.stream),
  client: byType(catalogue.client),
  model: byType(catalogue.model),
}

function byType(list: ReadonlyArray<EventDefinition>): ReadonlyMap<string, EventDefinition> {
  return new Map(list.map((definition) => [definition.type, definition]))
}

/** The definition of an event type, or undefined when the category has none of that name. */
export const definitionOf = (category: Category, type: string): EventDefinition | undefined =>
  definitions[category].get(type)

/** Tests of data by definition, compiled when the first event of its type comes. */
const conformances = new Map<EventDefinition, Conforms>()

function dataConforms(definition: EventDefinition, data: unknown): boolean {
  let conforms = conformances.get(definition)
  if (conforms === undefined) {
    conforms = conformanceOf(definition.data)
    conformances.set(definition, conforms)
  }
  return conforms(data)
}

const metadataConforms = conformanceOf(EventMetadata)

/** Validates type and data from outside, e.g. from a message: unknown properties are dropped. */
export function decodePayload<C extends Category>(
  category: C,
  input: { readonly type: string; readonly data: unknown },
): E.Either<InvalidEvent, Payload<C>> {
  const definition = definitions[category].get(input.type)
  if (definition === undefined) {
    return E.left(new InvalidEvent(input.type, `no event of this name belongs to a ${category}`))
  }
  if (dataConforms(definition, input.data)) return E.right({ type: input.type, data: input.data } as Payload<C>)
  const decoded = definition.data.decode(input.data)
  if (E.isLeft(decoded)) return E.left(new InvalidEvent(input.type, describeErrors(decoded.left)))
  return E.right({ type: input.type, data: decoded.right } as Payload<C>)
}

// Whoever reads a log for several ends asks for the same event several times: the newest answer is kept.
let newest: { readonly stored: SegueEvent; readonly category: Category; readonly decoded: unknown } | null = null

/**
 * Validates a stored event, and brings one of an older schema to the newest. A schema version newer than ours is refused,
 * never guessed.
 */
export function decodeEvent<C extends Category>(category: C, stored: SegueEvent): E.Either<InvalidEvent, EventIn<C>> {
  const definition = definitions[category].get(stored.type)
  if (definition !== undefined && StoredEvent.conforms(stored, definition)) return E.right(stored as EventIn<C>)
  if (newest?.stored === stored && newest.category === category)
    return newest.decoded as E.Either<InvalidEvent, EventIn<C>>
  const decoded = decodeAnew(category, definition, stored)
  // Only of events that a store made, which nobody changes.
  if (StoredEvent.is(stored)) newest = { stored, category, decoded }
  return decoded
}

function decodeAnew<C extends Category>(
  category: C,
  definition: EventDefinition | undefined,
  stored: SegueEvent,
): E.Either<InvalidEvent, EventIn<C>> {
  const current = definition?.schemaVersion === stored.schemaVersion ? E.right(stored) : broughtUp(definition, stored)
  if (E.isLeft(current)) return current
  const event = current.right
  if (definition !== undefined && dataConforms(definition, event.data) && metadataConforms(event.metadata)) {
    return E.right(event as EventIn<C>)
  }
  const metadata = EventMetadata.decode(event.metadata)
  if (E.isLeft(metadata)) return E.left(new InvalidEvent(event.type, `metadata.${describeErrors(metadata.left)}`))
  const payload = decodePayload(category, event)
  if (E.isLeft(payload)) return payload
  return E.right({ ...event, data: payload.right.data, metadata: metadata.right } as unknown as EventIn<C>)
}

function broughtUp(definition: EventDefinition | undefined, event: SegueEvent): E.Either<InvalidEvent, SegueEvent> {
  if (definition === undefined) return E.right(event)
  const { schemaVersion } = event
  if (schemaVersion > definition.schemaVersion) {
    const reason = `schema version ${schemaVersion} is newer than ${definition.schemaVersion}, the newest known here; update segue`
    return E.left(new InvalidEvent(event.type, reason))
  }
  if (!Number.isInteger(schemaVersion) || schemaVersion < 1) {
    return E.left(new InvalidEvent(event.type, `schema version ${schemaVersion} is none; they count from 1`))
  }
  try {
    return E.right(upcast(definition, event))
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const reason = `its data do not fit schema version ${schemaVersion}, which it was written with (${detail})`
    return E.left(new InvalidEvent(event.type, reason))
  }
}
