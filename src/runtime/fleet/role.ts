import { errorMessage } from '../systemError.js'
import { ChildFailed, startChild, type Child, type ChildExit, type ChildReady, type ChildSpec } from './child.js'

export interface RoleOptions {
  readonly spec: ChildSpec
  /** How long after its unasked end it is started again; grows with each end in short order. Null: never. */
  readonly restartAfterMs: number | null
  /** Longest pause between two starts. */
  readonly restartAfterMsMax: number
  readonly onStarted?: (child: Child) => void
  /** It ended without having been asked to. */
  readonly onDied: (child: Child, exit: ChildExit, ready: ChildReady | null) => void
  readonly onNote: (text: string, tone: 'caution' | 'bad' | 'good') => void
}

/** A process that has lived this long has shown that it works: the pauses begin anew. */
const provenMs = 10_000
const quickEndsMax = 10

/** One place in the fleet, and the process that fills it: started again when it dies, until it is stopped. */
export class Role {
  readonly #options: RoleOptions
  #child: Child
  #ready: ChildReady | null = null
  #wasEverReady = false
  #quickEnds = 0
  #restartTimer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: RoleOptions) {
    this.#options = options
    this.#child = this.#start()
  }

  get name(): string {
    return this.#options.spec.role
  }

  get child(): Child {
    return this.#child
  }

  /** What the present process said when it was ready; null before. */
  get ready(): ChildReady | null {
    return this.#ready
  }

  /**
   * Ends the present process as a crash would and starts another at once. Resolves when that is ready; rejects with
   * ChildFailed when the place is stopped.
   */
  async restart(): Promise<ChildReady> {
    this.#checkFillable()
    const before = this.#child
    before.kill('SIGKILL')
    await before.exited
    this.#checkFillable()
    clearTimeout(this.#restartTimer)
    if (this.#child === before) this.#child = this.#start()
    return this.#child.ready
  }

  async stop(graceMs?: number): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#restartTimer)
    await this.#child.stop(graceMs)
  }

  #checkFillable(): void {
    if (this.#stopped) throw new ChildFailed(this.name, null, `${this.name} is stopped: it is not started again`)
  }

  #start(): Child {
    const child = startChild(this.#options.spec)
    this.#ready = null
    child.ready.then(
      (ready) => {
        this.#wasEverReady = true
        if (this.#child === child) this.#ready = ready
      },
      () => undefined,
    )
    void child.exited.then((exit) => this.#onExit(child, exit))
    this.#options.onStarted?.(child)
    return child
  }

  #onExit(child: Child, exit: ChildExit): void {
    if (exit.asked || this.#stopped) return
    const { onDied, onNote, restartAfterMs, restartAfterMsMax } = this.#options
    this.#quickEnds = exit.at - child.startedAt > provenMs ? 1 : this.#quickEnds + 1
    onDied(child, exit, this.#ready)
    // What cannot even begin is wrong in a way that another try does not mend; `child.ready` tells why.
    if (!this.#wasEverReady) return
    if (restartAfterMs === null) return onNote(`${this.name} ended (${exit.how})`, 'bad')
    if (this.#quickEnds > quickEndsMax) {
      onNote(`${this.name} ended ${quickEndsMax} times in short order: it is not started again`, 'bad')
      return
    }
    const afterMs = Math.min(restartAfterMsMax, restartAfterMs * 2 ** (this.#quickEnds - 1))
    onNote(`${this.name} ended (${exit.how}); it is started again in ${(afterMs / 1000).toFixed(1)} s`, 'bad')
    this.#restartTimer = setTimeout(() => this.#again(child), afterMs)
  }

  #again(before: Child): void {
    if (this.#stopped || this.#child !== before) return
    this.#child = this.#start()
    this.#child.ready.then(
      () => this.#options.onNote(`${this.name} runs again`, 'good'),
      (error: unknown) => this.#options.onNote(`${this.name}: ${errorMessage(error)}`, 'bad'),
    )
  }
}
