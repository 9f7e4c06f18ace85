import type { Decoder } from 'io-ts'
import type { EventKind, SegueEvent } from './envelope.js'

/** What a type of event looks like: its kind, the version of its schema and the codec of its data. */
export interface EventDefinition<Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly kind: EventKind
  readonly schemaVersion: number
  readonly data: Decoder<unknown, Data>
}

export const fact = <const Type extends string, Data>(
  type: Type,
  data: Decoder<unknown, Data>,
  schemaVersion = 1,
): EventDefinition<Type, Data> => ({ type, kind: 'fact', schemaVersion, data })

export const decision = <const Type extends string, Data>(
  type: Type,
  data: Decoder<unknown, Data>,
  schemaVersion = 1,
): EventDefinition<Type, Data> => ({ type, kind: 'decision', schemaVersion, data })

/** The event type that belongs to a definition. */
export type EventOf<D> = D extends EventDefinition<infer Type, infer Data> ? SegueEvent<Type, Data> : never

/** What a decider returns and a shell observes, before it becomes an event: the type and its data. */
export type PayloadOf<D> =
  D extends EventDefinition<infer Type, infer Data> ? { readonly type: Type; readonly data: Data } : never
