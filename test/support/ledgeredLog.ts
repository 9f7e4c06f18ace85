import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type { EventStore, RecordedEvent } from '../../src/events/index.js'
import { keyIdOf, type LedgerSigner } from '../../src/events/integrity/index.js'
import { createMemoryStore } from '../../src/events/stores/memory/index.js'
import { startLedgerKeeper, type LedgerKeeper } from '../../src/runtime/ledger/index.js'
import { readHistories } from '../golden/histories.js'

/** The events of a golden history, newest rules first. */
export function goldenEvents(name: string): ReadonlyArray<RecordedEvent> {
  const found = readHistories().findLast((history) => history.name === name)
  if (found === undefined) throw new Error(`there is no golden history ${name}`)
  return found.events
}

export async function appendAll(store: EventStore, events: Iterable<RecordedEvent>): Promise<void> {
  let batch: RecordedEvent[] = []
  const write = async (): Promise<void> => {
    const [first] = batch
    if (first === undefined) return
    const parts = batch.map(({ streamId: _stream, revision: _revision, position: _position, ...event }) => event)
    const expected = first.revision === 0 ? 'none' : first.revision - 1
    const outcome = await store.append(first.streamId, parts, { expected })()
    if (E.isLeft(outcome)) throw outcome.left
    batch = []
  }
  for (const event of events) {
    if (event.streamId !== batch[0]?.streamId) await write()
    batch.push(event)
  }
  await write()
}

export const newSigner = (): LedgerSigner => ({
  privateKey: generateKeyPairSync('ed25519').privateKey,
  endorsement: null,
  earlier: [],
})

export interface KeeperOptions {
  readonly signer: LedgerSigner
  readonly ours?: ReadonlyArray<string>
  readonly warnings?: string[]
}

/** A keeper whose clock stands still: it writes checkpoints when it is asked to, and when it closes. */
export function keeperOf(store: EventStore, { signer, ours, warnings = [] }: KeeperOptions): LedgerKeeper {
  let now = 1_800_000_000_000
  return startLedgerKeeper({
    store,
    clock: { now: () => (now += 1_000), after: () => () => undefined },
    signer: () => Promise.resolve(signer),
    isOurs: (key) => Promise.resolve((ours ?? [keyIdOf(signer.privateKey)]).includes(key)),
    logger: { info: () => undefined, warn: (message) => void warnings.push(message) },
  })
}

export interface LedgeredLog {
  readonly store: EventStore
  readonly signer: LedgerSigner
  readonly trusted: ReadonlyArray<KeyObject>
}

/** A log with a ledger over it: a golden history, or other events, in four parts, with a checkpoint after each. */
export async function ledgeredLog(
  name = 'prediction',
  store = createMemoryStore(),
  events = goldenEvents(name),
): Promise<LedgeredLog> {
  const signer = newSigner()
  const keeper = keeperOf(store, { signer })
  const part = Math.ceil(events.length / 4)
  for (let from = 0; from < events.length; from += part) {
    await appendAll(store, events.slice(from, from + part))
    await settledIn(store, keeper)
  }
  await keeper.close()
  return { store, signer, trusted: [signer.privateKey] }
}

/** Lets the subscription deliver what was appended, then writes a checkpoint. */
async function settledIn(_store: EventStore, keeper: LedgerKeeper): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  await keeper.checkpoint()
}

export async function read(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> {
  const list: RecordedEvent[] = []
  for await (const event of events) list.push(event)
  return list
}

/** A store that answers with other events than those that were appended. */
export function lying(
  store: EventStore,
  change: (events: ReadonlyArray<RecordedEvent>) => ReadonlyArray<RecordedEvent>,
): EventStore {
  async function* all(): AsyncGenerator<RecordedEvent> {
    yield* change(await read(store.readAll()))
  }
  async function* stream(streamId: string, from = 0): AsyncGenerator<RecordedEvent> {
    for await (const event of all()) if (event.streamId === streamId && event.revision >= from) yield event
  }
  return { ...store, readAll: () => all(), readStream: (streamId, options) => stream(streamId, options?.from) }
}
