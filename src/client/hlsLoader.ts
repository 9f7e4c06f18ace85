import { RequestFailed } from './errors.js'
import type { PlayerSession } from './playerContract.js'
import type { Delivery } from './requests.js'

/** The parts of hls.js's loader interface (1.5 and later) that are used; hls.js itself is not needed here. */
interface LoaderContext {
  readonly url: string
  readonly responseType: string
}

interface Timing {
  start: number
  first: number
  end: number
}

interface LoaderStats {
  aborted: boolean
  loaded: number
  retry: number
  total: number
  chunkCount: number
  bwEstimate: number
  loading: Timing
  parsing: { start: number; end: number }
  buffering: Timing
}

interface LoaderResponse {
  readonly url: string
  readonly data: string | ArrayBuffer | object
  readonly code: number
}

interface LoaderCallbacks<C> {
  onSuccess(response: LoaderResponse, stats: LoaderStats, context: C, details: null): void
  onError(error: { code: number; text: string }, context: C, details: null, stats: LoaderStats): void
  onTimeout(stats: LoaderStats, context: C, details: null): void
  onAbort?: ((stats: LoaderStats, context: C, details: null) => void) | undefined
}

const freshStats = (): LoaderStats => ({
  ...{ aborted: false, loaded: 0, retry: 0, total: 0, chunkCount: 0, bwEstimate: 0 },
  loading: { start: 0, first: 0, end: 0 },
  parsing: { start: 0, end: 0 },
  buffering: { start: 0, first: 0, end: 0 },
})

const bodyOf = (bytes: Uint8Array, responseType: string): string | ArrayBuffer | object => {
  if (responseType === 'arraybuffer') return new Uint8Array(bytes).buffer
  const text = new TextDecoder().decode(bytes)
  return responseType === 'json' ? (JSON.parse(text) as object) : text
}

/**
 * A loader class for unmodified hls.js: `new Hls({ loader: createHlsLoader(session) })`. Requests for the stream go
 * through the session; others (keys, captions elsewhere) go to where their URL says.
 *
 * hls.js's own time limits do not apply: the session has its deadlines, and answers each request in bounded time.
 */
export const createHlsLoader = (session: PlayerSession) =>
  class SegueLoader<C extends LoaderContext = LoaderContext> {
    context: C | null = null
    stats: LoaderStats = freshStats()
    #controller: AbortController | null = null
    #callbacks: LoaderCallbacks<C> | null = null
    #headers: Delivery['headers'] = {}

    load(context: C, _config: unknown, callbacks: LoaderCallbacks<C>): void {
      const controller = new AbortController()
      this.context = context
      this.#callbacks = callbacks
      this.#controller = controller
      this.stats.loading.start = performance.now()
      const asked = session.serves(context.url)
        ? session.request(context.url, controller.signal)
        : elsewhere(context.url, controller.signal)
      asked.then(
        (delivery) => this.#succeed(controller, context, delivery),
        (error: unknown) => this.#fail(controller, context, error),
      )
    }

    abort(): void {
      const [callbacks, context] = [this.#callbacks, this.context]
      if (!this.#letGo()) return
      this.stats.aborted = true
      if (context !== null) callbacks?.onAbort?.(this.stats, context, null)
    }

    destroy(): void {
      this.#letGo()
      this.context = null
    }

    getCacheAge(): number | null {
      return null
    }

    getResponseHeader(name: string): string | null {
      const value = this.#headers[name.toLowerCase()]
      return typeof value === 'string' ? value : (value?.[0] ?? null)
    }

    #letGo(): boolean {
      const controller = this.#controller
      this.#callbacks = null
      this.#controller = null
      controller?.abort()
      return controller !== null
    }

    #succeed(controller: AbortController, context: C, delivery: Delivery): void {
      const callbacks = this.#callbacks
      if (this.#controller !== controller || callbacks === null) return
      const { bytes, headers, askedAtMs, firstByteAtMs, endedAtMs } = delivery
      const { stats } = this
      const nowMs = performance.now()
      const { loading } = stats
      loading.end = nowMs
      // What hls.js learns its bandwidth from: the winning server's own time, not what was waited for another one.
      loading.start = Math.max(loading.start, nowMs - (endedAtMs - askedAtMs))
      loading.first = Math.max(loading.start, nowMs - (endedAtMs - (firstByteAtMs ?? askedAtMs)))
      stats.loaded = stats.total = bytes.byteLength
      stats.chunkCount = 1
      this.#headers = headers
      this.#controller = null
      let data: ReturnType<typeof bodyOf>
      try {
        data = bodyOf(bytes, context.responseType)
      } catch {
        return callbacks.onError({ code: 200, text: 'not JSON' }, context, null, stats)
      }
      callbacks.onSuccess({ url: context.url, data, code: 200 }, stats, context, null)
    }

    #fail(controller: AbortController, context: C, error: unknown): void {
      const callbacks = this.#callbacks
      if (this.#controller !== controller || callbacks === null) return
      this.#controller = null
      const { stats } = this
      stats.loading.end = performance.now()
      const reason = error instanceof RequestFailed ? error.reason : null
      if (reason === 'timeout') return callbacks.onTimeout(stats, context, null)
      const text = error instanceof Error ? error.message : String(error)
      const code = error instanceof Refused ? error.status : reason === 'gone' ? 404 : 0
      callbacks.onError({ code, text }, context, null, stats)
    }
  }

/** A server elsewhere answered, but not with what was asked for. */
class Refused extends Error {
  constructor(
    url: string,
    readonly status: number,
  ) {
    super(`${url} answered ${status}`)
  }
}

const elsewhere = async (url: string, signal: AbortSignal): Promise<Delivery> => {
  const askedAtMs = performance.now()
  const answer = await fetch(url, { signal })
  if (!answer.ok) throw new Refused(url, answer.status)
  const firstByteAtMs = performance.now()
  const bytes = new Uint8Array(await answer.arrayBuffer())
  const headers = Object.fromEntries(answer.headers)
  const times = { askedAtMs, firstByteAtMs, endedAtMs: performance.now() }
  return { bytes, headers, server: new URL(url).origin, number: null, ...times }
}

/**
 * Settings of hls.js for a stream of ours: play `latencyMs` behind live, and leave patience and pace to the session.
 * Spread it into the configuration: `new Hls({ ...hlsConfig(session), debug: true })`, and let the session watch the
 * video element.
 */
export const hlsConfig = (session: PlayerSession) => ({
  ...hlsTiming(session.latencyMs - startMs),
  loader: createHlsLoader(session),
  maxLiveSyncPlaybackRate: 1,
})

/** hls.js measures its distance from the end of the playlist, which is this much older than live. */
const playlistAgeMs = 150
/** From hls.js's choice of a position until it plays; what is left of it, the session's pace takes away. */
const startMs = 250

/** The timing alone: for an hls.js that fetches by itself. */
export const hlsTiming = (latencyMs: number) => {
  const liveSyncDuration = Math.max(0.3, (latencyMs - playlistAgeMs) / 1000)
  return {
    lowLatencyMode: true,
    liveSyncDuration,
    liveMaxLatencyDuration: liveSyncDuration + 8,
    maxLiveSyncPlaybackRate: 1.05,
    liveSyncOnStallIncrease: 0,
    backBufferLength: 15,
    maxBufferLength: 10,
  }
}
