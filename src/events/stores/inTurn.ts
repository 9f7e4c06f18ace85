import { setImmediate as pause } from 'node:timers/promises'

/**
 * The items of pages, one after the other, with time for others between two pages. What an async generator costs for each
 * item is more than an event of a log does.
 */
export function inTurn<T>(pages: () => Iterator<ReadonlyArray<T>>): AsyncIterableIterator<T> {
  return new InTurn(pages)
}

class InTurn<T> implements AsyncIterableIterator<T> {
  readonly #open: () => Iterator<ReadonlyArray<T>>
  #pages: Iterator<ReadonlyArray<T>> | null = null
  #page: ReadonlyArray<T> = []
  #next = 0
  #ended = false
  /** Calls that wait for a page; somebody may ask for several items before the first one has come. */
  #waiting = 0
  #newest: Promise<unknown> = Promise.resolve()

  constructor(pages: () => Iterator<ReadonlyArray<T>>) {
    this.#open = pages
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting > 0 || this.#next >= this.#page.length) return this.#queue()
    const value = this.#page[this.#next] as T
    this.#next += 1
    return Promise.resolve({ value, done: false })
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#end()
    return Promise.resolve({ value: undefined, done: true })
  }

  #queue(): Promise<IteratorResult<T, undefined>> {
    const turn = (): Promise<IteratorResult<T, undefined>> => this.#turn()
    const mine = this.#waiting === 0 ? turn() : this.#newest.then(turn)
    this.#waiting += 1
    // Whoever asked gets the failure; the next one only waits for the end of it.
    this.#newest = mine.catch(() => undefined)
    return mine
  }

  async #turn(): Promise<IteratorResult<T, undefined>> {
    try {
      while (this.#next >= this.#page.length) {
        if (this.#pages !== null) await pause()
        this.#pages ??= this.#open()
        const page = this.#ended ? null : this.#pages.next()
        if (page === null || page.done === true) {
          this.#end()
          return { value: undefined, done: true }
        }
        this.#page = page.value
        this.#next = 0
      }
      const value = this.#page[this.#next] as T
      this.#next += 1
      return { value, done: false }
    } catch (error) {
      this.#end()
      throw error
    } finally {
      this.#waiting -= 1
    }
  }

  #end(): void {
    this.#ended = true
    this.#page = []
    this.#next = 0
  }
}
