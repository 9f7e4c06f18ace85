import type { Fifo, SpooledMessage } from '../../messaging/fifo.js'
import type { SimulatedProcess } from '../world/process.js'

/** What survives the processes of one machine: the spool's queues, without a real disk. */
export class SimulatedDisk {
  readonly samples: QueueOnDisk
  readonly facts: QueueOnDisk
  /** What a write takes at present. */
  writeMs = 0

  constructor(process: SimulatedProcess) {
    const written = (): Promise<void> =>
      this.writeMs === 0 ? Promise.resolve() : new Promise((resolve) => void process.after(this.writeMs, resolve))
    this.samples = new QueueOnDisk(written)
    this.facts = new QueueOnDisk(written)
  }
}

class QueueOnDisk implements Fifo {
  /** Resolves when a write is done; never when the process dies before. */
  readonly #written: () => Promise<void>
  #messages: SpooledMessage[] = []

  constructor(written: () => Promise<void>) {
    this.#written = written
  }

  readonly append = async (messages: ReadonlyArray<SpooledMessage>): Promise<void> => {
    await this.#written()
    this.#messages.push(...messages)
  }
  readonly prepend = async (messages: ReadonlyArray<SpooledMessage>): Promise<void> => {
    await this.#written()
    this.#messages = [...messages, ...this.#messages]
  }
  readonly peek = (max: number): Promise<ReadonlyArray<SpooledMessage>> => Promise.resolve(this.#messages.slice(0, max))
  readonly shift = (messages: ReadonlyArray<SpooledMessage>): Promise<void> => {
    const gone = new Set(messages)
    this.#messages = this.#messages.filter((message) => !gone.has(message))
    return Promise.resolve()
  }
  readonly clear = (): Promise<void> => {
    this.#messages = []
    return Promise.resolve()
  }
  readonly bytes = (): number => this.#messages.length
  readonly isEmpty = (): boolean => this.#messages.length === 0
  readonly dropped = (): number => 0
  readonly close = (): Promise<void> => Promise.resolve()
}
