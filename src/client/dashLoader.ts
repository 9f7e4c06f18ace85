import { RequestFailed } from './errors.js'
import type { PlayerSession } from './playerSession.js'
import type { Delivery } from './requests.js'

/** The parts of dash.js (5) that are used; dash.js itself is not needed here. */
interface DashPlayer {
  extend(name: string, extension: object, override: boolean): void
}

/** What dash.js gives to its loaders: a request and the answer to be filled in (CommonMediaRequest, CommonMediaResponse). */
interface DashRequest {
  readonly url: string
  readonly responseType: string
  readonly customData: {
    onloadend?: () => void
    onabort?: () => void
    onprogress?: (event: object) => void
    abort?: () => void
  }
}
interface DashResponse {
  url?: string
  status?: number
  statusText?: string
  headers?: object
  data?: unknown
}
interface DashLoader {
  readonly load: (request: DashRequest, response: DashResponse) => unknown
}

/**
 * Lets dash.js fetch through a session: call it before `player.initialize`, and give that `session.url('main.mpd')`. Requests
 * that are not the stream's go to where their URL says.
 *
 * dash.js's own retries see a 404 when nobody has it, and 0 when nobody answered.
 */
export const useWithDash = (player: DashPlayer, session: PlayerSession): void => {
  // dash.js calls it with itself as `this`, and puts `load` in place of its own.
  function extension(this: { readonly parent: DashLoader }): DashLoader {
    const { load } = this.parent
    return {
      load: (request, response) =>
        session.serves(request.url) ? take(session, request, response) : load(request, response),
    }
  }
  player.extend('XHRLoader', extension, true)
}

function take(session: PlayerSession, request: DashRequest, response: DashResponse): boolean {
  const { customData, url } = request
  const controller = new AbortController()
  customData.abort = () => controller.abort()
  response.url = url
  session.request(url, controller.signal).then(
    (delivery) => {
      Object.assign(response, { status: 200, statusText: 'OK', headers: delivery.headers })
      response.data = dataOf(delivery, request.responseType)
      customData.onprogress?.(progressOf(delivery))
      customData.onloadend?.()
    },
    (error: unknown) => {
      if (controller.signal.aborted) return customData.onabort?.()
      const isGone = error instanceof RequestFailed && error.reason === 'gone'
      Object.assign(response, { status: isGone ? 404 : 0, statusText: String(error) })
      customData.onloadend?.()
    },
  )
  return true
}

const dataOf = ({ bytes }: Delivery, responseType: string): ArrayBuffer | string =>
  responseType === 'arraybuffer' ? new Uint8Array(bytes).buffer : new TextDecoder().decode(bytes)

/** What dash.js learns its bandwidth from: the time of the server that won, not what was waited for another one. */
const progressOf = ({ bytes, askedAtMs, firstByteAtMs, endedAtMs }: Delivery): object => ({
  ...{ lengthComputable: true, loaded: bytes.byteLength, total: bytes.byteLength },
  time: Math.max(1, endedAtMs - (firstByteAtMs ?? askedAtMs)),
})
