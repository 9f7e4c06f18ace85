import type { PlayerSession } from './playerContract.js'
import type { Delivery } from './requests.js'

/** The parts of dash.js (5) that are used; dash.js itself is not needed here. Its names: CommonMediaRequest. */
interface DashRequest {
  url: string
  readonly customData: {
    abort?: () => void
    /** What dash.js takes latency and throughput from. */
    readonly request?: {
      startDate?: Date | null
      firstByteDate?: Date | null
      resourceTimingValues?: Partial<PerformanceResourceTiming>
    }
  }
}

interface DashResponse {
  readonly request: DashRequest
  url?: string
  headers?: object
}

interface DashPlayer {
  addRequestInterceptor(interceptor: (request: DashRequest) => Promise<DashRequest>): void
  addResponseInterceptor(interceptor: (response: DashResponse) => Promise<DashResponse>): void
}

/** dash.js retries what an address like this does not give. */
const nothing = 'blob:gone'

/**
 * Lets dash.js fetch through a session: `player.initialize(video, useWithDash(player, session), true)`. What the session
 * delivers is handed to dash.js under an address of its own (a blob URL), since its interceptors may change a request but
 * not answer it. Requests that are not the stream's go to where their URL says. Returns what to play.
 */
export const useWithDash = (player: DashPlayer, session: PlayerSession): string => {
  const delivered = new WeakMap<DashRequest, { readonly url: string; readonly delivery: Delivery | null }>()

  player.addRequestInterceptor(async (request) => {
    const { url, customData } = request
    if (!session.serves(url)) return request
    const controller = new AbortController()
    customData.abort = () => controller.abort()
    const delivery = await session.request(url, controller.signal).catch(() => null)
    // dash.js has forgotten what it aborted, and must not be brought to load it all the same.
    if (controller.signal.aborted) return new Promise<never>(() => undefined)
    delivered.set(request, { url, delivery })
    request.url = delivery === null ? nothing : URL.createObjectURL(new Blob([new Uint8Array(delivery.bytes)]))
    return request
  })

  player.addResponseInterceptor(async (response) => {
    const { request } = response
    const known = delivered.get(request)
    if (known === undefined) return response
    URL.revokeObjectURL(request.url)
    response.url = request.url = known.url
    if (known.delivery !== null) {
      response.headers = known.delivery.headers
      tellTimes(request, known.delivery)
    }
    return response
  })

  return session.url('main.mpd?steering=none')
}

/** The winning server's own times, not what was waited for another one or for live. */
function tellTimes({ customData: { request } }: DashRequest, delivery: Delivery): void {
  if (request === undefined) return
  const { bytes, askedAtMs, endedAtMs, firstByteAtMs } = delivery
  const [transferSize, startedAtMs] = [bytes.byteLength, firstByteAtMs ?? askedAtMs]
  const ago = (atMs: number): Date => new Date(Date.now() - (endedAtMs - atMs))
  request.startDate = ago(askedAtMs)
  request.firstByteDate = ago(startedAtMs)
  request.resourceTimingValues = { transferSize, responseStart: startedAtMs, responseEnd: endedAtMs }
}
