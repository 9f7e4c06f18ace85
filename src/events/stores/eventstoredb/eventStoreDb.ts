import { setTimeout as pause } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { StoreError, StoreUnavailable } from '../../errors.js'
import type { EventStore } from '../../store.js'
import { shownAddress, type EventStoreAddress } from './address.js'
import { Appends, type Place } from './appends.js'
import { createClient, disposeClient, ReplaceableClient } from './client.js'
import { demandCut } from '../../integrity/cuts.js'
import { nameIn } from './codec.js'
import { truncate } from './cuts.js'
import { faultOf, storeErrorOf } from './faults.js'
import { Reads, type ReadingOptions } from './reads.js'
import { OpenSubscriptions } from '../subscription.js'
import { subscribeToAll } from './subscriptions.js'

export interface EventStoreDbOptions {
  readonly address: EventStoreAddress
  /** Only read: appends and deletions fail with StoreUnavailable. */
  readonly readOnly?: boolean
  /** How long an append may take before it counts as unanswered, and a read may keep us waiting. Default 5 000. */
  readonly answerTimeoutMs?: number
  /** How long opening may take. Default 15 000. */
  readonly openTimeoutMs?: number
}

/**
 * Opens the log in EventStoreDB (23.10 or later), and reads its last event, so that a wrong address, a wrong password or
 * a missing right is told now.
 *
 * @throws StoreUnavailable when no server answers, or it refuses us
 */
export async function openEventStoreDb(options: EventStoreDbOptions): Promise<EventStore> {
  const { address, readOnly = false, answerTimeoutMs = 5_000, openTimeoutMs = 15_000 } = options
  const user = address.credentials?.username ?? null
  const reading: ReadingOptions = { namespace: address.namespace, shown: shownAddress(address), user, answerTimeoutMs }
  const readingClient = await createClient(address)
  const reads = new Reads(readingClient, reading)
  try {
    await answered(reads.head(), openTimeoutMs, reading.shown, address.tls)
    const writer = await ReplaceableClient.open(address)
    return assemble({ writer, readingClient, reads, reading, readOnly, answerTimeoutMs })
  } catch (error) {
    reads.close()
    await disposeClient(readingClient)
    throw error instanceof StoreError ? error : storeErrorOf(faultOf(error, reading.shown, user), error)
  }
}

async function answered<T>(asked: Promise<T>, ms: number, shown: string, tls: boolean): Promise<T> {
  const ending = new AbortController()
  const late = pause(ms, undefined, { signal: ending.signal }).then(() => {
    // A server without TLS often leaves a handshake unanswered.
    const hint = tls ? ', and that it uses TLS; if it does not, add ?tls=false' : ''
    throw new StoreUnavailable(`${shown} has not answered for ${ms} ms; check that EventStoreDB runs there${hint}`)
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([asked, late])
  } finally {
    ending.abort()
  }
}

interface Parts {
  readonly writer: ReplaceableClient
  readonly readingClient: Parameters<typeof disposeClient>[0]
  readonly reads: Reads
  readonly reading: ReadingOptions
  readonly readOnly: boolean
  readonly answerTimeoutMs: number
}

function assemble({ writer, readingClient, reads, reading, readOnly, answerTimeoutMs }: Parts): EventStore {
  const { namespace, user, shown } = reading
  const subscriptions = new OpenSubscriptions()
  let closing: Promise<void> | undefined
  const lookUp = async (streamId: string, revision: number | 'last'): Promise<Place | null> => {
    const from = revision === 'last' ? {} : { from: revision }
    for await (const event of reads.readStream(streamId, { ...from, direction: 'backwards', limit: 1 })) return event
    return null
  }
  const appends = new Appends(writer, { namespace, user, answerTimeoutMs, lookUp })
  const refusal = (): StoreUnavailable | undefined =>
    closing !== undefined
      ? reads.closedError()
      : readOnly
        ? new StoreUnavailable(`${shown} was opened for reading only`)
        : undefined

  const close = async (): Promise<void> => {
    await subscriptions.closeAll()
    await appends.settled()
    reads.close()
    await Promise.all([writer.close(), disposeClient(readingClient)])
  }

  return {
    append:
      (streamId, events, { expected }) =>
      async () => {
        const refused = refusal()
        return refused === undefined ? appends.append(streamId, events, expected) : E.left(refused)
      },
    readStream: (streamId, options) => reads.readStream(streamId, options),
    readAll: (options) => reads.readAll(options),
    subscribe: (options) => {
      if (closing !== undefined) throw reads.closedError()
      return subscriptions.add(subscribeToAll(readingClient, reading, () => reads.cuts(), options))
    },
    deleteStream: async (streamId) => {
      const refused = refusal()
      if (refused !== undefined) throw refused
      try {
        await writer.current.tombstoneStream(nameIn(namespace, streamId))
      } catch (error) {
        const fault = faultOf(error, shown, user)
        // It is what was asked for.
        if (fault.type !== 'deleted') throw storeErrorOf(fault, error)
      }
    },
    truncateBefore: async (streamId, cut) => {
      const refused = refusal()
      if (refused !== undefined) throw refused
      await demandCut(reads, streamId, cut)
      try {
        await truncate(writer.current, namespace, streamId, cut)
      } catch (error) {
        throw error instanceof StoreError ? error : storeErrorOf(faultOf(error, shown, user), error)
      }
    },
    cuts: () => reads.cuts(),
    close: () => (closing ??= close()),
  }
}
