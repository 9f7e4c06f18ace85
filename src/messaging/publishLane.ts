import { isDiskFull, type Fifo, type SpooledMessage } from './fifo.js'
import { realSchedule, retryDelayMs, type Schedule } from './lanes.js'
import type { Transport } from './transport.js'

/** `sent`: the broker has it. `spooled`: it is on disk and will be sent. `dropped`: it is lost, `onDropped` knows why. */
export type PublishOutcome = 'sent' | 'spooled' | 'dropped'

export interface PublishLaneOptions {
  readonly transport: Transport
  readonly fifo: Fifo
  readonly queueMax: number
  readonly onDropped: (message: SpooledMessage, reason: string) => void
  /** Frees space on the disk, if that is possible. */
  readonly makeRoom: () => Promise<void>
  readonly schedule?: Schedule
}

export interface PublishLane {
  readonly publish: (message: SpooledMessage) => Promise<PublishOutcome>
  readonly retryNow: () => void
  readonly drained: () => Promise<void>
  readonly close: () => Promise<void>
}

interface Entry {
  readonly message: SpooledMessage
  readonly settle: (outcome: PublishOutcome) => void
}

/** Sent at a time: side by side for different subjects, one after the other for the same. */
const batchMax = 64

/**
 * How many times `queueMax` may wait in memory for a disk that is slow or full before messages are dropped: a notice to ten
 * thousand viewers makes as many facts at once, and the next one comes before the disk has them.
 */
const slowDiskFactor = 50
/** Pause before a disk that did not take messages is tried again. */
const diskRetryMs = 250

export const createPublishLane = (options: PublishLaneOptions): PublishLane => new Lane(options)

/**
 * Memory first, disk behind it: `#queue` holds messages older than all in the fifo. As soon as something is on disk,
 * everything new goes there too, until the disk is empty again; so the order is kept. What a full disk does not take
 * stays in memory within bounds.
 */
class Lane implements PublishLane {
  readonly #options: PublishLaneOptions
  readonly #schedule: Schedule
  #queue: Entry[] = []
  /** On the way to the disk, behind the fifo's messages. */
  #toDisk: Entry[] = []
  #writing: Promise<void> | undefined
  /** What was in `#queue` is on its way to the front of the fifo: nothing newer may stand in `#queue` meanwhile. */
  #spilling = false
  #spooling: boolean
  #failures = 0
  #closed = false
  #sleeping: { readonly idle: boolean; readonly wake: () => void } | undefined
  #waitingForDrain: Array<() => void> = []
  readonly #running: Promise<void>

  constructor(options: PublishLaneOptions) {
    this.#options = options
    this.#schedule = options.schedule ?? realSchedule
    this.#spooling = !options.fifo.isEmpty()
    this.#running = this.#run()
  }

  publish(message: SpooledMessage): Promise<PublishOutcome> {
    return new Promise((settle) => {
      const entry = { message, settle }
      if (this.#closed) return this.#drop(entry, 'the publisher was closed')
      if (!this.#spooling && this.#queue.length < this.#options.queueMax) {
        this.#queue.push(entry)
        return this.#nudge()
      }
      this.#spooling = true
      if (this.#queue.length + this.#toDisk.length >= this.#options.queueMax * slowDiskFactor)
        return this.#drop(entry, 'the disk is full or too slow, and too much waits in memory')
      this.#toDisk.push(entry)
      this.#writing ??= this.#writeToDisk()
    })
  }

  retryNow(): void {
    this.#failures = 0
    this.#sleeping?.wake()
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#waitingForDrain.push(resolve)
      this.#nudge()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#sleeping?.wake()
    await this.#running
    await this.#spill()
    await this.#writing
    for (const entry of this.#queue.splice(0)) this.#drop(entry, 'the process ends and the disk does not take it')
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      if (this.#nothingWaits()) {
        this.#spooling = false
        for (const resolve of this.#waitingForDrain.splice(0)) resolve()
        await this.#sleep(undefined)
      } else if (await this.#sendSome()) this.#failures = 0
      else if (!this.#closed) {
        await this.#spill()
        this.#failures += 1
        await this.#sleep(retryDelayMs(this.#failures))
      }
    }
  }

  #nothingWaits(): boolean {
    return this.#queue.length === 0 && this.#options.fifo.isEmpty() && this.#writing === undefined
  }

  /** Whether it went well. */
  #sendSome(): Promise<boolean> {
    if (this.#options.transport.state() !== 'connected') return Promise.resolve(false)
    if (this.#queue.length > 0) return this.#sendQueued(this.#queue.slice(0, batchMax))
    if (!this.#options.fifo.isEmpty()) return this.#sendSpooled()
    return Promise.resolve(this.#writing).then(() => true)
  }

  async #sendQueued(batch: ReadonlyArray<Entry>): Promise<boolean> {
    const done = await this.#send(batch.map(({ message }) => message))
    const isDone = ({ message }: Entry) => done.has(message)
    this.#queue = this.#queue.filter((entry) => !isDone(entry))
    for (const entry of batch.filter(isDone)) entry.settle(done.get(entry.message) ?? 'sent')
    return done.size === batch.length
  }

  async #sendSpooled(): Promise<boolean> {
    const { fifo } = this.#options
    try {
      const batch = await fifo.peek(batchMax)
      const done = await this.#send(batch)
      const firstLeft = batch.findIndex((message) => !done.has(message))
      await fifo.shift(firstLeft === -1 ? batch : batch.slice(0, firstLeft))
      return firstLeft === -1
    } catch {
      // The disk does not give it now: tried again after the pause.
      return false
    }
  }

  /** Those that need not be tried again, with their outcome. */
  async #send(batch: ReadonlyArray<SpooledMessage>): Promise<ReadonlyMap<SpooledMessage, PublishOutcome>> {
    const done = new Map<SpooledMessage, PublishOutcome>()
    const [only] = batch
    if (only !== undefined && batch.length === 1) {
      const outcome = await this.#sendOne(only)
      return outcome === 'failed' ? done : done.set(only, outcome)
    }
    const bySubject = new Map<string, SpooledMessage[]>()
    for (const message of batch) bySubject.set(message.subject, [...(bySubject.get(message.subject) ?? []), message])
    await Promise.all(
      [...bySubject.values()].map(async (messages) => {
        for (const message of messages) {
          if (this.#closed) return
          const outcome = await this.#sendOne(message)
          if (outcome === 'failed') return
          done.set(message, outcome)
        }
      }),
    )
    return done
  }

  async #sendOne(message: SpooledMessage): Promise<'sent' | 'dropped' | 'failed'> {
    const { transport, onDropped } = this.#options
    try {
      await transport.publish(message.subject, message.data, { id: message.id })
      return 'sent'
    } catch (error) {
      if (!(error instanceof RangeError)) return 'failed'
      // No broker will ever take it; trying again would hold up everything behind it.
      onDropped(message, error.message)
      return 'dropped'
    }
  }

  /** Puts what waits in memory on disk, before everything that is there. */
  async #spill(): Promise<void> {
    const entries = this.#queue
    if (entries.length === 0) return
    this.#spooling = true
    this.#queue = []
    this.#spilling = true
    try {
      await this.#withRoom(() => this.#options.fifo.prepend(entries.map(({ message }) => message)))
      for (const entry of entries) entry.settle('spooled')
    } catch {
      // It stays in memory, which `queueMax` bounds, as long as the disk does not take it.
      this.#queue = entries
    } finally {
      this.#spilling = false
    }
  }

  async #writeToDisk(): Promise<void> {
    while (this.#toDisk.length > 0) {
      const entries = this.#toDisk
      this.#toDisk = []
      try {
        await this.#withRoom(() => this.#options.fifo.append(entries.map(({ message }) => message)))
        for (const entry of entries) entry.settle('spooled')
      } catch (error) {
        this.#toDisk = [...entries, ...this.#toDisk]
        if (this.#closed) this.#dropAll(this.#toDisk.splice(0), error)
        // Nothing on disk is older: it goes out from memory, or to the disk when that has space again.
        else if (!this.#spilling && this.#options.fifo.isEmpty()) this.#queue.push(...this.#toDisk.splice(0))
        else await new Promise<void>((resolve) => this.#schedule(resolve, diskRetryMs))
      }
    }
    this.#writing = undefined
    this.#nudge()
  }

  async #withRoom(write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!isDiskFull(error)) throw error
      await this.#options.makeRoom()
      await write()
    }
  }

  #dropAll(entries: ReadonlyArray<Entry>, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    for (const entry of entries) this.#drop(entry, reason)
  }

  #drop({ message, settle }: Entry, reason: string): void {
    this.#options.onDropped(message, reason)
    settle('dropped')
  }

  /** For a time, or without one until there is something to do. */
  #sleep(delayMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancel()
        this.#sleeping = undefined
        resolve()
      }
      const cancel = delayMs === undefined ? () => {} : this.#schedule(wake, delayMs)
      this.#sleeping = { idle: delayMs === undefined, wake }
    })
  }

  /** New work ends idleness, but no pause after a failure. */
  #nudge(): void {
    if (this.#sleeping?.idle === true) this.#sleeping.wake()
  }
}
