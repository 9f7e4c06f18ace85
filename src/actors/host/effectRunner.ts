import { isSameValue } from '../../events/index.js'
import type { Clock } from '../clock.js'
import type { Effect } from '../effects.js'

/** What became of one try: `done` until the wish changes, or to be done again after a while. */
export type EffectOutcome = { readonly type: 'done' } | { readonly type: 'again'; readonly afterMs: number }

/** Performs one effect of an entity. A rejection counts as a failed try and is made again. */
export type Interpret = (owner: string, effect: Effect) => Promise<EffectOutcome>

export interface EffectRunnerOptions {
  readonly clock: Clock
  readonly interpret: Interpret
  readonly onFailure?: (owner: string, effect: Effect, error: unknown) => void
}

interface Wish {
  readonly effect: Effect
  cancel: () => void
}

const retryMsFirst = 100
const retryMsMax = 1_000

/**
 * Brings the world to what the actors want. After each commit an entity hands over the whole list of its wishes: new
 * and changed ones are performed, vanished ones forgotten. After a restart every wish is new, so whatever had not been
 * acknowledged is issued again; receivers are idempotent.
 */
export class EffectRunner {
  readonly #options: EffectRunnerOptions
  readonly #owners = new Map<string, Map<string, Wish>>()
  #closed = false

  constructor(options: EffectRunnerOptions) {
    this.#options = options
  }

  /** `owner` names the entity, e.g. `stream-main`. */
  reconcile(owner: string, effects: ReadonlyArray<Effect>): void {
    if (this.#closed) return
    const wishes = this.#owners.get(owner) ?? new Map<string, Wish>()
    this.#owners.set(owner, wishes)
    for (const [key, wish] of wishes) {
      // A handful of wishes: looking through them is cheaper than a set of their keys.
      if (effects.some((effect) => effect.key === key)) continue
      wish.cancel()
      wishes.delete(key)
    }
    for (const effect of effects) {
      const known = wishes.get(effect.key)
      if (known !== undefined && isSameValue(known.effect, effect)) continue
      known?.cancel()
      const wish: Wish = { effect, cancel: () => undefined }
      wishes.set(effect.key, wish)
      this.#perform(owner, effect, wish, retryMsFirst)
    }
    if (wishes.size === 0) this.#owners.delete(owner)
  }

  close(): void {
    this.#closed = true
    for (const wishes of this.#owners.values()) for (const wish of wishes.values()) wish.cancel()
    this.#owners.clear()
  }

  #perform(owner: string, effect: Effect, wish: Wish, retryMs: number): void {
    const current = (): boolean => !this.#closed && this.#owners.get(owner)?.get(effect.key) === wish
    const again = (afterMs: number, nextRetryMs: number): void => {
      if (!current()) return
      wish.cancel = this.#options.clock.after(afterMs, () => {
        if (current()) this.#perform(owner, effect, wish, nextRetryMs)
      })
    }
    this.#options.interpret(owner, effect).then(
      (outcome) => {
        if (outcome.type === 'again') again(outcome.afterMs, retryMsFirst)
      },
      (error: unknown) => {
        if (current()) this.#options.onFailure?.(owner, effect, error)
        again(retryMs, Math.min(retryMsMax, retryMs * 2))
      },
    )
  }
}
