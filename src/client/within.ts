import { TransportError, type Clock, type HttpAnswer, type Transport } from './ports.js'

/** What the promise gives, or a rejection with `late` when that takes longer than `withinMs`. */
export const inTime = async <T>(clock: Clock, withinMs: number, promise: Promise<T>, late: Error): Promise<T> => {
  let cancel: () => void = () => undefined
  const deadline = new Promise<never>((_, reject) => {
    cancel = clock.setTimer(() => reject(late), withinMs)
  })
  return Promise.race([promise, deadline]).finally(cancel)
}

/** GET with a deadline and an optional outer signal. Rejects with TransportError; `timeout` when the deadline passes. */
export const getWithin = async (
  transport: Transport,
  clock: Clock,
  url: string,
  deadlineMs: number,
  outer?: AbortSignal,
): Promise<HttpAnswer> => {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  outer?.addEventListener('abort', abort)
  try {
    if (outer?.aborted === true) throw new TransportError('aborted', url)
    const answer = transport.get(url, { signal: controller.signal })
    return await inTime(clock, deadlineMs, answer, new TransportError('timeout', url))
  } catch (error) {
    abort()
    throw error instanceof TransportError ? error : new TransportError('reset', url, error)
  } finally {
    outer?.removeEventListener('abort', abort)
  }
}

export const reasonOf = (error: unknown): TransportError['reason'] =>
  error instanceof TransportError ? error.reason : 'reset'
