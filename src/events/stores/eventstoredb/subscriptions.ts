import { setTimeout as pause } from 'node:timers/promises'
import type { AllStreamResolvedEvent, AllStreamSubscription, EventStoreDBClient } from '@eventstore/db-client'
import type { Position } from '../../envelope.js'
import type { StreamCut, SubscribeOptions, Subscription } from '../../store.js'
import { matches } from '../subscription.js'
import { decodeResolved, fromDbPosition, nameIn, toDbPosition } from './codec.js'
import { isCutOff } from './cuts.js'
import { faultOf, storeErrorOf } from './faults.js'
import { Pull } from './pull.js'
import type { ReadingOptions } from './reads.js'

const pauseMsFirst = 100
const pauseMsMax = 5_000
/** How many events of others the server looks at before it says how far it has come. */
const searchWindow = 256
/** The same for events of ours that the filter drops. */
const checkpointEvery = 256

/** Asks where streams begin that were cut. */
type Cuts = () => Promise<ReadonlyMap<string, StreamCut>>

/**
 * A catch-up subscription that outlives the connection: where it breaks it is made again, behind the last event that was
 * delivered. It ends with an error only when the server refuses it, or the subscriber fails.
 */
export function subscribeToAll(
  client: EventStoreDBClient,
  reading: ReadingOptions,
  cuts: Cuts,
  options: SubscribeOptions,
): Subscription {
  const delivery = new Delivery(client, reading, cuts, options)
  const ended = delivery.run()
  return {
    close: async () => {
      delivery.stop()
      await ended
    },
  }
}

class Delivery {
  readonly #client: EventStoreDBClient
  readonly #reading: ReadingOptions
  readonly #cuts: Cuts
  readonly #options: SubscribeOptions
  readonly #ending = new AbortController()
  #after: Position | undefined
  /** Position up to which the subscriber was told. */
  #told: Position | undefined
  #dropped = 0
  #caughtUp = false
  #pull: Pull<AllStreamResolvedEvent> | undefined
  #hidden: ReadonlyMap<string, StreamCut> = new Map()

  constructor(client: EventStoreDBClient, reading: ReadingOptions, cuts: Cuts, options: SubscribeOptions) {
    this.#client = client
    this.#reading = reading
    this.#cuts = cuts
    this.#options = options
    this.#after = options.after
  }

  async run(): Promise<void> {
    // Nothing is called back before the subscriber holds the subscription.
    await Promise.resolve()
    try {
      await this.#runUntilStopped()
    } catch (error) {
      if (this.#ending.signal.aborted) return
      this.stop()
      const reason = error instanceof Error ? error : new Error(String(error))
      // A subscription that dies unnoticed would be a projection that stands still: with nobody listening, better a crash.
      if (this.#options.onError === undefined) throw reason
      this.#options.onError(reason)
    }
  }

  stop(): void {
    this.#ending.abort()
    this.#pull?.end()
  }

  async #runUntilStopped(): Promise<void> {
    const { signal } = this.#ending
    for (let pauseMs = pauseMsFirst; !signal.aborted; pauseMs = Math.min(pauseMsMax, pauseMs * 2)) {
      const before = this.#after
      try {
        await this.#deliver()
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof SubscriberFailed) throw error.cause
        const fault = faultOf(error, this.#reading.shown, this.#reading.user)
        if (fault.type !== 'broken' && fault.type !== 'unreachable') throw storeErrorOf(fault, error)
      }
      if (this.#after !== before) pauseMs = pauseMsFirst
      await pause(pauseMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** One subscription of the client, until it breaks. */
  async #deliver(): Promise<void> {
    this.#hidden = await this.#cuts()
    if (this.#ending.signal.aborted) return
    const subscription = this.#open()
    const pull = new Pull<AllStreamResolvedEvent>(subscription)
    this.#pull = pull
    // The client tells of having caught up before what it has read earlier was taken from it.
    subscription.on('caughtUp', () => pull.mark(() => this.#tellCaughtUp()))
    try {
      for (let item = await pull.take(); item !== undefined; item = await pull.take()) {
        if (this.#ending.signal.aborted) return
        await this.#take(item, pull)
      }
    } finally {
      pull.release()
      void subscription.unsubscribe().catch(() => undefined)
    }
  }

  async #take(resolved: AllStreamResolvedEvent, pull: Pull<AllStreamResolvedEvent>): Promise<void> {
    const { namespace, shown } = this.#reading
    const event = decodeResolved(resolved, namespace, shown)
    // Behind a broken connection the server may begin with what had been delivered.
    if (event === undefined || (this.#after !== undefined && event.position <= this.#after)) return
    const isWanted = matches(this.#options.filter ?? {}, event.streamId, event.type) && !isCutOff(this.#hidden, event)
    if (isWanted) await this.#hand(event)
    else this.#dropped += 1
    if (this.#ending.signal.aborted) return
    this.#after = event.position
    if (pull.idle || this.#dropped >= checkpointEvery) this.#checkpoint()
  }

  #open(): AllStreamSubscription {
    const { namespace } = this.#reading
    // The server may have looked further than to the last event of ours.
    const from = later(this.#after, this.#told)
    const prefixes = (this.#options.filter?.streamPrefixes ?? ['']).map((prefix) => nameIn(namespace, prefix))
    return this.#client.subscribeToAll({
      fromPosition: from === undefined ? 'start' : toDbPosition(from),
      filter: {
        filterOn: 'streamName',
        // Nothing is kept where no prefix is: a name that nothing has stands for that.
        prefixes: prefixes.length === 0 ? [nameIn(namespace, '\u0000')] : prefixes,
        maxSearchWindow: searchWindow,
        checkpointInterval: 1,
        checkpointReached: (_subscription, position) => this.#onServerCheckpoint(fromDbPosition(position)),
      },
    })
  }

  async #hand(event: Parameters<SubscribeOptions['onEvent']>[0]): Promise<void> {
    try {
      await this.#options.onEvent(event)
    } catch (error) {
      throw new SubscriberFailed(error)
    }
  }

  /** What the server has looked at without finding anything of ours. */
  #onServerCheckpoint(position: Position): void {
    this.#pull?.mark(() => {
      if (!this.#ending.signal.aborted) this.#tell(position)
    })
  }

  #checkpoint(): void {
    this.#dropped = 0
    if (this.#after !== undefined && this.#after !== this.#told) this.#tell(this.#after)
  }

  #tell(position: Position): void {
    if (this.#told !== undefined && position <= this.#told) return
    this.#told = position
    this.#options.onCheckpoint?.(position)
  }

  #tellCaughtUp(): void {
    if (this.#caughtUp || this.#ending.signal.aborted) return
    this.#caughtUp = true
    this.#checkpoint()
    this.#options.onCaughtUp?.(this.#after ?? null)
  }
}

const later = (a: Position | undefined, b: Position | undefined): Position | undefined =>
  a === undefined || (b !== undefined && b > a) ? b : a

/** Tells a failure of the subscriber from one of the connection. */
class SubscriberFailed extends Error {
  constructor(cause: unknown) {
    super('the subscriber failed', { cause })
  }
}
