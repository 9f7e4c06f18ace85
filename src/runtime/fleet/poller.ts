import { request } from 'undici'
import type { ControlStatus } from '../control/status.js'

export interface StatusPollerOptions {
  readonly controlUrl: string
  readonly now: () => number
  readonly onStatus: (status: ControlStatus) => void
  readonly everyMs?: number
}

const timeoutMs = 1_000
/** Less than this is no silence: the machine may be busy. */
const staleAfterMs = 1_200

/** Asks the control plane for its status over and over, and remembers the last answer. */
export class StatusPoller {
  readonly #options: StatusPollerOptions
  readonly #timer: NodeJS.Timeout
  #status: ControlStatus | null = null
  #answeredAt: number
  #asking = false

  constructor(options: StatusPollerOptions) {
    this.#options = options
    this.#answeredAt = options.now()
    this.#timer = setInterval(() => void this.ask(), options.everyMs ?? 250)
  }

  get status(): ControlStatus | null {
    return this.#status
  }

  /** How old the status is, when the control plane has gone silent; null while it answers, or never has. */
  get staleMs(): number | null {
    const age = this.#options.now() - this.#answeredAt
    return this.#status === null || age < staleAfterMs ? null : age
  }

  /** Asks now. Resolves when there is an answer, or none within a second. */
  async ask(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    try {
      const { statusCode, body } = await request(`${this.#options.controlUrl}/api/status`, {
        signal: AbortSignal.timeout(timeoutMs),
      })
      const status = (await body.json()) as ControlStatus
      if (statusCode !== 200) return
      this.#status = status
      this.#answeredAt = this.#options.now()
      this.#options.onStatus(status)
    } catch {
      // The age of the last answer tells it.
    } finally {
      this.#asking = false
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
