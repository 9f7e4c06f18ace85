/** What is needed of a readable stream of objects. */
export interface ObjectSource<T> {
  readonly read: () => T | null
  readonly readableLength: number
  readonly resume: () => unknown
  readonly on: (event: string, listener: (error?: unknown) => void) => unknown
  readonly off: (event: string, listener: (error?: unknown) => void) => unknown
}

/**
 * Takes objects from a stream one by one, and knows at every moment how many have been put in: a marker that is set while
 * some still wait is reached when those have been handled. An async iterator cannot tell: what it has just taken out is for
 * a moment neither in the stream nor with its reader. It would also tear the stream down where its reader goes away, and the
 * client's call behind it would stay open for ever.
 */
export class Pull<T> {
  readonly #source: ObjectSource<T>
  #taken = 0
  #handled = 0
  #markers: { readonly at: number; readonly reached: () => void }[] = []
  #failure: { readonly error: unknown } | undefined
  #ended = false
  #wake: () => void = () => undefined
  readonly #onReadable = (): void => this.#wake()

  constructor(source: ObjectSource<T>) {
    this.#source = source
    source.on('readable', this.#onReadable)
    for (const event of ['end', 'close']) source.on(event, () => this.end())
    source.on('error', (error) => this.fail(error))
  }

  /** Whether nothing waits to be taken. */
  get idle(): boolean {
    return this.#source.readableLength === 0
  }

  /** The next object; undefined at the end. What was taken before counts as handled. @throws what the stream broke with */
  async take(): Promise<T | undefined> {
    this.#handled = this.#taken
    this.#reach()
    for (;;) {
      if (this.#ended && this.#failure === undefined && this.idle) return undefined
      const item = this.#source.read()
      if (item !== null) {
        this.#taken += 1
        return item
      }
      if (this.#failure !== undefined) throw this.#failure.error
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Calls back when everything that is in the stream now, or in hand, was handled; at once if there is nothing. */
  mark(reached: () => void): void {
    this.#markers.push({ at: this.#taken + this.#source.readableLength, reached })
    this.#reach()
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  /** Lets what still comes run away, so that the stream can come to its end. */
  release(): void {
    this.#markers = []
    this.#source.off('readable', this.#onReadable)
    this.#source.resume()
  }

  #reach(): void {
    const reached = this.#markers.filter(({ at }) => at <= this.#handled)
    if (reached.length === 0) return
    this.#markers = this.#markers.filter(({ at }) => at > this.#handled)
    for (const marker of reached) marker.reached()
  }
}
