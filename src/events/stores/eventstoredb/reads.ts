import { clearInterval, setInterval } from 'node:timers'
import { setTimeout as pause } from 'node:timers/promises'
import type { AllStreamResolvedEvent, EventStoreDBClient, ReadRevision, ResolvedEvent } from '@eventstore/db-client'
import type { Position, RecordedEvent } from '../../envelope.js'
import { StoreUnavailable, StreamDeleted } from '../../errors.js'
import type { ReadAllOptions, ReadStreamOptions, StreamCut } from '../../store.js'
import { matches } from '../subscription.js'
import { decodeResolved, fromDbPosition, nameIn, toDbPosition } from './codec.js'
import { cutsIn, cutsStream, isCutOff } from './cuts.js'
import { faultOf, storeErrorOf, type Fault } from './faults.js'
import { Pull, type ObjectSource } from './pull.js'

export interface ReadingOptions {
  readonly namespace: string
  /** The server, as people may see it. */
  readonly shown: string
  readonly user: string | null
  /** How long the server may take for the next event. */
  readonly answerTimeoutMs: number
}

interface ClientStream<T> extends ObjectSource<T> {
  readonly cancel: () => Promise<void>
  /** Calls back when the server has looked further, without having found anything. */
  readonly onProgress?: (listener: () => void) => void
  /** Calls back when the server has read everything that there is; then nothing more is waited for. */
  readonly onCaughtUp?: (listener: () => void) => void
}

/** How many events of others the server looks at before it says how far it has come. */
const searchWindow = 256

/**
 * Our part of the log. It is read through a subscription, which the server filters; a plain read of everything would bring
 * the events of all other programs as well.
 */
function filteredAll(
  client: EventStoreDBClient,
  namespace: string,
  after: Position | undefined,
): ClientStream<AllStreamResolvedEvent> {
  let progress = (): void => undefined
  const subscription = client.subscribeToAll({
    fromPosition: after === undefined ? 'start' : toDbPosition(after),
    filter: {
      filterOn: 'streamName',
      prefixes: [nameIn(namespace, '')],
      maxSearchWindow: searchWindow,
      checkpointInterval: 1,
      checkpointReached: () => progress(),
    },
  })
  return Object.assign(subscription, {
    cancel: () => subscription.unsubscribe(),
    onProgress: (listener: () => void) => void (progress = listener),
    onCaughtUp: (listener: () => void) => void subscription.on('caughtUp', listener),
  })
}

const triesMax = 5
const pauseMsFirst = 100

/** Reads over a client of its own, so that nothing that breaks here can disturb an append. */
export class Reads {
  readonly #client: EventStoreDBClient
  readonly #options: ReadingOptions
  readonly #underWay = new Set<Pull<unknown>>()
  #closed = false

  constructor(client: EventStoreDBClient, options: ReadingOptions) {
    this.#client = client
    this.#options = options
  }

  get closed(): boolean {
    return this.#closed
  }

  async *readStream(streamId: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    const backwards = options.direction === 'backwards'
    const end: ReadRevision = backwards ? 'end' : 'start'
    let from: ReadRevision = options.from === undefined ? end : BigInt(options.from)
    let left = options.limit ?? Infinity
    const open = () =>
      this.#client.readStream(nameIn(this.#options.namespace, streamId), {
        fromRevision: from,
        direction: backwards ? 'backwards' : 'forwards',
        ...(left === Infinity ? {} : { maxCount: left }),
      })
    if (left <= 0) return
    const onFault = (fault: Fault): boolean => {
      if (fault.type === 'deleted') throw new StreamDeleted(streamId)
      return fault.type === 'not-found'
    }
    for await (const event of this.#resumed(open, onFault)) {
      from = BigInt(Math.max(0, event.revision + (backwards ? -1 : 1)))
      left -= 1
      yield event
      if (left <= 0 || (backwards && event.revision === 0)) return
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    let left = options.limit ?? Infinity
    if (left <= 0) return
    let after = options.after
    // Up to what exists now: a reader slower than the writers must come to an end all the same.
    const head = await this.head()
    if (head === null || (after !== undefined && after >= head)) return
    const cuts = await this.cuts()
    const open = () => filteredAll(this.#client, this.#options.namespace, after)
    for await (const event of this.#resumed(open, () => false)) {
      // Behind a broken connection the server may begin with what had been delivered.
      if (after !== undefined && event.position <= after) continue
      if (event.position > head) return
      after = event.position
      if (!isCutOff(cuts, event) && matches(options.filter ?? {}, event.streamId, event.type)) {
        yield event
        left -= 1
      }
      if (left <= 0 || event.position === head) return
    }
  }

  /** Where streams begin that were cut. */
  async cuts(): Promise<ReadonlyMap<string, StreamCut>> {
    const stream = cutsStream(this.#options.namespace)
    const open = () => this.#client.readStream(stream, { direction: 'backwards', fromRevision: 'end', maxCount: 1 })
    for await (const { event } of this.#retried(open, ({ type }) => type === 'not-found')) return cutsIn(event?.data)
    return new Map()
  }

  /** Position of the last event of the server, whosever it is. Fails where the server cannot be read. */
  async head(): Promise<Position | null> {
    const open = () => this.#client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: 1 })
    for await (const { event } of this.#retried(open, () => false)) {
      if (event?.position !== undefined) return fromDbPosition(event.position)
    }
    return null
  }

  /** Breaks off whatever is being read. */
  close(): void {
    this.#closed = true
    for (const pull of this.#underWay) pull.fail(this.closedError())
  }

  closedError(): StoreUnavailable {
    return new StoreUnavailable(`the store ${this.#options.shown} was closed`)
  }

  async *#resumed(
    open: () => ClientStream<AllStreamResolvedEvent | ResolvedEvent>,
    endsWith: (fault: Fault) => boolean,
  ): AsyncGenerator<RecordedEvent> {
    const { namespace, shown } = this.#options
    for await (const resolved of this.#retried(open, endsWith)) {
      const event = decodeResolved(resolved, namespace, shown)
      if (event !== undefined) yield event
    }
  }

  /**
   * What `open` gives; where it breaks, it is opened again, and goes on from where the caller has come to by then.
   * `endsWith` says which faults are the end of it.
   */
  async *#retried<T>(open: () => ClientStream<T>, endsWith: (fault: Fault) => boolean): AsyncGenerator<T> {
    const { shown, user } = this.#options
    for (let tries = 1; ; tries += 1) {
      if (this.#closed) throw this.closedError()
      try {
        for await (const item of this.#watched(open())) {
          tries = 0
          yield item
        }
        return
      } catch (error) {
        if (this.#closed) throw this.closedError()
        const fault = faultOf(error, shown, user)
        if (endsWith(fault)) return
        const passing = fault.type === 'broken' || fault.type === 'unreachable'
        if (!passing || tries >= triesMax) throw storeErrorOf(fault, error)
      }
      await pause(pauseMsFirst * 2 ** Math.max(0, tries - 1))
    }
  }

  /** Ends with an error when the server keeps us waiting, and ends the read in the server when nobody goes on with it. */
  async *#watched<T>(stream: ClientStream<T>): AsyncGenerator<T> {
    const { answerTimeoutMs } = this.#options
    const pull = new Pull<T>(stream)
    let waiting = true
    let beats = 0
    this.#underWay.add(pull)
    stream.onProgress?.(() => (beats = 0))
    stream.onCaughtUp?.(() => pull.mark(() => pull.end()))
    const watch = setInterval(() => {
      beats = waiting ? beats + 1 : 0
      if (beats > beatsMax) pull.fail(new Error(`no answer for ${answerTimeoutMs} ms`))
    }, answerTimeoutMs / beatsMax)
    watch.unref()
    try {
      for (let item = await pull.take(); item !== undefined; item = await pull.take()) {
        waiting = false
        beats = 0
        yield item
        waiting = true
      }
    } finally {
      clearInterval(watch)
      this.#underWay.delete(pull)
      pull.release()
      void stream.cancel().catch(() => undefined)
    }
  }
}

const beatsMax = 4
