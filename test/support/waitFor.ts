export interface WaitForOptions {
  readonly timeoutMs?: number
  readonly everyMs?: number
  /** What is being waited for: the end of the sentence "Timed out waiting for ...". A function is asked at the time of failure, so it can tell the last seen state. */
  readonly describe?: string | (() => string)
}

/** A condition that may still fail by returning a falsy value or by throwing; both count as "not yet". */
export type Condition<T> = () => T | Promise<T>

/**
 * Polls until `condition` gives a truthy value, and resolves to that value. Rejects after `timeoutMs` (default 5000),
 * naming what was waited for and the last error that the condition threw, if any.
 */
export async function waitFor<T>(condition: Condition<T>, options: WaitForOptions = {}): Promise<Truthy<T>> {
  const { timeoutMs = 5_000, everyMs = 20, describe = 'a condition' } = options
  const startedAtMs = performance.now()
  let lastError: unknown
  for (;;) {
    try {
      const value = await condition()
      if (isTruthy(value)) return value
      lastError = undefined
    } catch (error) {
      lastError = error
    }
    if (performance.now() - startedAtMs >= timeoutMs) break
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  const what = typeof describe === 'function' ? describe() : describe
  const why =
    lastError === undefined
      ? ''
      : ` (last error: ${lastError instanceof Error ? lastError.message : String(lastError)})`
  throw new Error(`Timed out after ${timeoutMs} ms waiting for ${what}${why}`, { cause: lastError })
}

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>

const isTruthy = <T>(value: T): value is Truthy<T> => Boolean(value)
