import type { Decoder } from 'io-ts'
import type { EventKind, SegueEvent } from './envelope.js'

/** Makes the data of one version of a schema those of the next. Pure; may throw for data that do not fit. */
export type Upcast = (data: unknown) => unknown

/** What a type of event looks like: its kind, the version of its schema and the codec of its data. */
export interface EventDefinition<Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly kind: EventKind
  /** One more than there are steps to it. */
  readonly schemaVersion: number
  /** Step n makes the data of version n + 1 those of version n + 2; see `upcast`. */
  readonly upcasts: ReadonlyArray<Upcast>
  readonly data: Decoder<unknown, Data>
}

export const fact = <const Type extends string, Data>(
  type: Type,
  data: Decoder<unknown, Data>,
  upcasts: ReadonlyArray<Upcast> = [],
): EventDefinition<Type, Data> => ({ type, kind: 'fact', schemaVersion: upcasts.length + 1, upcasts, data })

export const decision = <const Type extends string, Data>(
  type: Type,
  data: Decoder<unknown, Data>,
  upcasts: ReadonlyArray<Upcast> = [],
): EventDefinition<Type, Data> => ({ type, kind: 'decision', schemaVersion: upcasts.length + 1, upcasts, data })

/** The event type that belongs to a definition. */
export type EventOf<D> = D extends EventDefinition<infer Type, infer Data> ? SegueEvent<Type, Data> : never

/** What a decider returns and a shell observes, before it becomes an event: the type and its data. */
export type PayloadOf<D> =
  D extends EventDefinition<infer Type, infer Data> ? { readonly type: Type; readonly data: Data } : never
