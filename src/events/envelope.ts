import * as t from 'io-ts'

/** Whether an event records an observation (`fact`) or was derived from facts by a pure function (`decision`). */
export type EventKind = 'fact' | 'decision'

export const EventMetadata = t.readonly(
  t.intersection([
    t.type({
      kind: t.union([t.literal('fact'), t.literal('decision')]),
      /** Shared by everything that follows from one cause, e.g. all events of one handover. */
      correlationId: t.string,
      /** The event that led to this one; null for facts from outside. */
      causationId: t.union([t.string, t.null]),
      /** Unix time in milliseconds at which the fact was observed; a decision carries the time of its fact. */
      occurredAt: t.number,
      /** Version of the rules that wrote the event; replay picks the rules by it. */
      actorVersion: t.number,
    }),
    t.partial({ epoch: t.number }),
  ]),
)
export type EventMetadata = t.TypeOf<typeof EventMetadata>

/** An event as it is handed to a store. `id` is a time-ordered UUID and the idempotency key of the append. */
export interface SegueEvent<Type extends string = string, Data = unknown> {
  readonly id: string
  readonly type: Type
  readonly schemaVersion: number
  readonly data: Data
  readonly metadata: EventMetadata
}

/** An opaque place in the whole log. Compare with `<`, `>` and `===`; nothing else about it is promised. */
export type Position = string & { readonly __position: unique symbol }

/** An event as it was read back: where it stands in its stream and in the whole log. */
export interface RecordedEvent<Type extends string = string, Data = unknown> extends SegueEvent<Type, Data> {
  readonly streamId: string
  /** 0 for the first event of a stream, then one more each. */
  readonly revision: number
  readonly position: Position
}
