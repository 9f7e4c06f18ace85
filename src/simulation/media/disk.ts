import type { Fifo, SpooledMessage } from '../../messaging/fifo.js'

/** What survives the processes of one machine: the spool's queue, without a real disk. */
export class SimulatedDisk {
  readonly samples = new QueueOnDisk()
  readonly facts = new QueueOnDisk()
}

class QueueOnDisk implements Fifo {
  #messages: SpooledMessage[] = []

  readonly append = (messages: ReadonlyArray<SpooledMessage>): Promise<void> => {
    this.#messages.push(...messages)
    return Promise.resolve()
  }
  readonly prepend = (messages: ReadonlyArray<SpooledMessage>): Promise<void> => {
    this.#messages = [...messages, ...this.#messages]
    return Promise.resolve()
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
