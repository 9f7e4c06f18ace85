/** How long, all in all, something was not possible; told only of changes. */
export class IdleClock {
  readonly #nowMs: () => number
  #idleMs = 0
  #sinceMs: number | null

  /** It begins idle. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.#sinceMs = nowMs()
  }

  get idleMs(): number {
    return this.#idleMs + (this.#sinceMs === null ? 0 : this.#nowMs() - this.#sinceMs)
  }

  /** Counts so much more, whatever was possible. */
  add(ms: number): void {
    this.#idleMs += ms
  }

  update(isIdle: boolean): void {
    if (isIdle === (this.#sinceMs !== null)) return
    this.#idleMs = this.idleMs
    this.#sinceMs = isIdle ? this.#nowMs() : null
  }
}
