import { Client } from 'undici'
import { systemClock, type HealthClock } from '../clock.js'
import { HealthOptionsError } from '../errors.js'
import type { ProbeFailure, ProbeOutcome } from './liveness.js'
import { afterAnswer, afterMiss, newPatience, timeoutMsOf } from './patience.js'

const bodyBytesMax = 16_384
/** A server that has not answered for this long is asked less often, until it answers again. */
const restAfterMs = 60_000
const restingEveryMs = 2_000

export interface ProberOptions {
  /** Base address of the server; `/healthz` is asked for. */
  readonly url: string
  /** From the begin of one probe to the begin of the next, in ms; default 150. */
  readonly everyMs?: number
  /** How much longer than usual one probe may take, in ms; default 250. On a path that is not known yet: how long. */
  readonly timeoutMs?: number
  readonly onOutcome: (outcome: ProbeOutcome) => void
  readonly clock?: HealthClock
}

export interface Prober {
  /** There is reason to believe that the server is back: asks it at once, and as often as one that answers. */
  readonly wake: () => void
  readonly stop: () => Promise<void>
}

/**
 * Asks `GET <url>/healthz` over one kept connection, one request at a time, and every 2 s only when nothing was answered
 * for a minute. The outcome tells refused (nobody listens),
 * reset (the connection broke), timeout, status (an answer, but not 2xx) and unreachable (it did not get there) apart.
 * @throws HealthOptionsError when the address is none.
 */
export const startProber = (options: ProberOptions): Prober => {
  const { everyMs = 150, timeoutMs = 250, onOutcome, clock = systemClock } = options
  const base = parseUrl(options.url)
  const path = `${base.pathname.replace(/\/$/, '')}/healthz`
  const client = new Client(base.origin, {
    pipelining: 1,
    keepAliveTimeout: 30_000,
    connect: { timeout: timeoutMs * 4 },
  })
  let patience = newPatience(timeoutMs)
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let answeredAtMs = clock.monotonicMs()

  const probeOnce = async (): Promise<void> => {
    timer = undefined
    const startedAt = clock.now()
    const startedAtMs = clock.monotonicMs()
    const outcome = await ask(client, path, timeoutMsOf(patience)).then(
      (bootId): ProbeOutcome => {
        return { type: 'ok', startedAt, at: clock.now(), rttMs: clock.monotonicMs() - startedAtMs, bootId }
      },
      (error: unknown): ProbeOutcome => ({ type: 'failed', startedAt, at: clock.now(), reason: reasonOf(error) }),
    )
    if (stopped) return
    const nowMs = clock.monotonicMs()
    if (outcome.type === 'ok') {
      patience = afterAnswer(patience, outcome.rttMs)
      answeredAtMs = nowMs
    } else if (outcome.reason === 'timeout') patience = afterMiss(patience)
    const pauseMs = nowMs - answeredAtMs >= restAfterMs ? Math.max(everyMs, restingEveryMs) : everyMs
    timer = setTimeout(() => void probeOnce(), Math.max(0, pauseMs - (nowMs - startedAtMs)))
    timer.unref()
    onOutcome(outcome)
  }
  void probeOnce()

  return {
    wake: () => {
      answeredAtMs = clock.monotonicMs()
      patience = { ...patience, misses: 0 }
      // Without a timer a probe is under way, and the next one follows soon.
      if (stopped || timer === undefined) return
      clearTimeout(timer)
      void probeOnce()
    },
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await client.destroy().catch(() => undefined)
    },
  }
}

class StatusError extends Error {
  readonly _tag = 'StatusError'
}
class ProbeTimeout extends Error {
  readonly _tag = 'ProbeTimeout'
}

const parseUrl = (url: string): URL => {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw new HealthOptionsError(`"${url}" cannot be probed: give an http or https address`)
  }
  return parsed
}

/** The boot id that answered, null when the body does not say; rejects with the reason of a failure. */
const ask = async (client: Client, path: string, timeoutMs: number): Promise<string | null> => {
  const abort = new AbortController()
  // undici's own timeouts have a granularity of about a second. Two turns of the event loop lie between the deadline
  // and the verdict: after a stall of our own, the answer may be waiting unread.
  const deadline = setTimeout(() => {
    setImmediate(() => setImmediate(() => abort.abort(new ProbeTimeout(`no answer within ${timeoutMs} ms`))))
  }, timeoutMs)
  try {
    const response = await client.request({ path, method: 'GET', signal: abort.signal })
    let text = ''
    for await (const chunk of response.body) {
      text += String(chunk)
      if (text.length > bodyBytesMax) break
    }
    if (response.statusCode < 200 || response.statusCode > 299) throw new StatusError(String(response.statusCode))
    return bootIdOf(text)
  } finally {
    clearTimeout(deadline)
  }
}

const bootIdOf = (text: string): string | null => {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body !== 'object' || body === null || !('bootId' in body)) return null
    return typeof body.bootId === 'string' ? body.bootId : null
  } catch {
    return null
  }
}

/** The name has no address, there is no way there, or our own machine has nothing left to connect with. */
const unreachableCodes = [
  ...['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
  ...['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EACCES', 'EPERM'],
]
const timeoutCodes = ['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']

const reasonOf = (error: unknown): ProbeFailure => {
  if (error instanceof StatusError) return 'status'
  if (error instanceof ProbeTimeout) return 'timeout'
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  if (code === 'ECONNREFUSED') return 'refused'
  if (unreachableCodes.includes(code)) return 'unreachable'
  return timeoutCodes.includes(code) ? 'timeout' : 'reset'
}
