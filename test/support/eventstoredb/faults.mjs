// What a stand-in may be told to do wrong.

/**
 * - `mute`: appends are neither taken nor answered;
 * - `mute-after-commit`: they are taken, and never answered;
 * - `drop-before-commit`, `drop-after-commit`: the call is broken off before, or after, the append was taken;
 * - `kill-before-commit`, `kill-after-commit`: the whole server dies there;
 * - `not-leader`: this node follows another one, at `leader`;
 * - `no-leader`: an election is under way;
 * - `busy`: the server is too busy;
 * - `denied`: the user may not;
 * - `timeout`: the server itself gave up waiting for its disks;
 * - `twice`: everything that is read or subscribed to is delivered twice;
 * - `drop-reads`: what is read or subscribed to breaks off after `after` events;
 * - `slow`: every answer takes `ms` longer.
 * @typedef {{ mode: string, times?: number, ms?: number, after?: number,
 *   leader?: { host: string, port: number } }} Fault
 */
export class Faults {
  /** @type {Fault | null} */
  #fault = null
  #left = Infinity

  /** @param {Fault | null} fault */
  set(fault) {
    this.#fault = fault
    this.#left = fault?.times ?? Infinity
  }

  /** The fault that an append meets; counts it. */
  takeForAppend() {
    const fault = this.#fault
    if (fault === null || ['twice', 'drop-reads'].includes(fault.mode)) return { mode: 'none' }
    return this.#count(fault)
  }

  /** The fault that reading meets; counts it. */
  takeForRead() {
    const fault = this.#fault
    if (fault === null || !['twice', 'drop-reads', 'denied', 'slow', 'busy'].includes(fault.mode))
      return { mode: 'none' }
    return this.#count(fault)
  }

  #count(fault) {
    if (this.#left <= 0) return { mode: 'none' }
    this.#left -= 1
    return fault
  }
}
