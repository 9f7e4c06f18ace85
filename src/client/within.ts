import { TransportError, type Clock, type HttpAnswer, type Transport } from './ports.js'

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
  let late = false
  const cancel = clock.setTimer(() => {
    late = true
    abort()
  }, deadlineMs)
  outer?.addEventListener('abort', abort, { once: true })
  try {
    if (outer?.aborted === true) throw new TransportError('aborted', url)
    return await transport.get(url, { signal: controller.signal })
  } catch (error) {
    if (late) throw new TransportError('timeout', url, error)
    throw error instanceof TransportError ? error : new TransportError('reset', url, error)
  } finally {
    cancel()
    outer?.removeEventListener('abort', abort)
  }
}

export const reasonOf = (error: unknown): TransportError['reason'] =>
  error instanceof TransportError ? error.reason : 'reset'
