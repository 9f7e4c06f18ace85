import type { VirtualTime } from './virtualTime.js'

/**
 * A process of the simulated fleet. Whatever happens in it belongs to one of its lives: a crash forgets everything of
 * that life, a hang keeps it waiting in order, as sockets and timers do for a stopped process.
 */
export class SimulatedProcess {
  readonly #time: VirtualTime
  #state: 'running' | 'hung' | 'down' = 'down'
  #life = 0
  #waiting: (() => void)[] = []
  #hungSinceMs = 0

  /** @param asynchronous whether what happens in it makes promises that have to settle before the next event. */
  constructor(
    readonly name: string,
    time: VirtualTime,
    private readonly asynchronous = true,
  ) {
    this.#time = time
  }

  get state(): 'running' | 'hung' | 'down' {
    return this.#state
  }

  get life(): number {
    return this.#life
  }

  isRunning(): boolean {
    return this.#state === 'running'
  }

  start(): void {
    if (this.#state !== 'down') return
    this.#life += 1
    this.#state = 'running'
  }

  /** Ends this life without a word. */
  crash(): void {
    this.#state = 'down'
    this.#waiting = []
  }

  hang(): void {
    if (this.#state !== 'running') return
    this.#state = 'hung'
    this.#hungSinceMs = this.#time.now()
  }

  /** `onAwake` learns how long it was, before anything that waited is done. */
  resume(onAwake: (hungMs: number) => void = () => undefined): void {
    if (this.#state !== 'hung') return
    this.#state = 'running'
    onAwake(this.#time.now() - this.#hungSinceMs)
    const waiting = this.#waiting
    this.#waiting = []
    if (this.asynchronous) this.#time.stir()
    for (const [index, run] of waiting.entries()) {
      if (this.#state === 'running') run()
      else return void this.#waiting.unshift(...waiting.slice(index))
    }
  }

  /** Binds an action to the present life: done at once, kept while the process hangs, forgotten after a crash. */
  guard(action: () => void): () => void {
    const life = this.#life
    return () => this.enter(life, action)
  }

  enter(life: number, action: () => void): void {
    this.#enter(life, action, true)
  }

  /** `enter` for what makes no promise. */
  pass(life: number, action: () => void): void {
    this.#enter(life, action, false)
  }

  #enter(life: number, action: () => void, stirs: boolean): void {
    if (this.#life !== life || this.#state === 'down') return
    if (this.#state === 'hung') this.#waiting.push(action)
    else {
      if (stirs && this.asynchronous) this.#time.stir()
      action()
    }
  }

  /** A timer of this life. */
  readonly after = (delayMs: number, action: () => void): (() => void) => this.#after(delayMs, action, true)

  /** A timer for something that mostly finds nothing to do: it stirs by itself when it does. */
  readonly lookAfter = (delayMs: number, action: () => void): (() => void) => this.#after(delayMs, action, false)

  #after(delayMs: number, action: () => void, stirs: boolean): () => void {
    const life = this.#life
    let cancelled = false
    const cancel = this.#time.after(delayMs, () => {
      if (this.#state === 'running') this.#enter(life, action, stirs)
      // It may be cancelled while it waits for the process to go on.
      else this.#enter(life, () => (cancelled ? undefined : action()), stirs)
    })
    return () => {
      cancelled = true
      cancel()
    }
  }
}
