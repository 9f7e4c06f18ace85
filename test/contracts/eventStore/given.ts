import * as E from 'fp-ts/lib/Either.js'
import {
  timeOrderedId,
  type AppendError,
  type EventStore,
  type ExpectedRevision,
  type SegueEvent,
} from '../../../src/events/index.js'

export interface StoreUnderTest {
  readonly store: EventStore
  /** Removes what the store left behind, after it was closed. */
  readonly dispose: () => Promise<void>
}

export interface StoreTraits {
  /** An id may stand in one stream only; otherwise the rule holds within each stream. */
  readonly idsUniqueInWholeLog: boolean
  /** Appends that are begun one after the other, without waiting, stand in the log in that order. */
  readonly keepsOrderOfCalls: boolean
  /** A deleted stream's events leave `readAll` at once; otherwise some time later. */
  readonly deletionErasesAtOnce: boolean
}

/** The store of the test that runs. */
export interface StoreWorld {
  readonly store: EventStore
}

let count = 0

/** An event whose type and number tell it apart. Exported for the tests that go beyond the contract. */
export function anEvent(type = 'Observed', data: unknown = { number: (count += 1) }): SegueEvent {
  return {
    id: timeOrderedId(1_700_000_000_000 + (count += 1)),
    type,
    schemaVersion: 1,
    data,
    metadata: { kind: 'fact', correlationId: 'c', causationId: null, occurredAt: 1_700_000_000_000, actorVersion: 1 },
  }
}

export const someEvents = (length: number, type?: string): ReadonlyArray<SegueEvent> =>
  Array.from({ length }, () => anEvent(type))

export async function collect<T>(items: AsyncIterable<T>): Promise<ReadonlyArray<T>> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

export const ids = (events: ReadonlyArray<{ readonly id: string }>) => events.map((event) => event.id)

/** Appends and gives the result; a failure of the append fails the test. */
export async function appended(
  store: EventStore,
  streamId: string,
  events: ReadonlyArray<SegueEvent>,
  expected: ExpectedRevision = 'any',
) {
  const result = await store.append(streamId, events, { expected })()
  if (E.isLeft(result)) throw result.left
  return result.right
}

/** Appends and gives the error; a success fails the test. */
export async function refused(
  store: EventStore,
  streamId: string,
  events: ReadonlyArray<SegueEvent>,
  expected: ExpectedRevision = 'any',
): Promise<AppendError> {
  const result = await store.append(streamId, events, { expected })()
  if (E.isRight(result)) throw new Error(`the append to ${streamId} expecting ${expected} was taken`)
  return result.left
}
