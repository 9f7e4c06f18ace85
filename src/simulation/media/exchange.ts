import { TransportError, type HttpAnswer, type Transport } from '../../client/index.js'
import type { Network } from '../world/network.js'
import type { SimulatedProcess } from '../world/process.js'
import type { VirtualTime } from '../world/virtualTime.js'

/** One request at a server, to be answered now or later, or never. */
export interface Exchange {
  readonly path: string
  readonly isOver: () => boolean
  readonly answer: (answer: HttpAnswer) => void
}

/** A process that answers HTTP. */
export interface HttpHost {
  readonly process: SimulatedProcess
  readonly handle: (exchange: Exchange) => void
  /** Registers what happens to open connections when the process dies; returns what takes it off again. */
  readonly onEnd: (end: () => void) => () => void
}

export interface ViewerTransportOptions {
  readonly viewer: SimulatedProcess
  readonly network: Network
  readonly time: VirtualTime
  readonly find: (origin: string) => HttpHost | undefined
}

/** HTTP as a viewer has it: slow, cut off, refused, reset, or kept waiting by a server that hangs. */
export function createViewerTransport(options: ViewerTransportOptions): Transport {
  const { viewer, network, time, find } = options
  return {
    get: (url, { signal }) =>
      new Promise((resolve, reject) => {
        const slash = url.indexOf('/', 8)
        const origin = slash === -1 ? url : url.slice(0, slash)
        const host = find(origin)
        const { over, end } = once(signal, time, () => reject(new TransportError('aborted', url)))
        if (over()) return
        const fail = (reason: 'refused' | 'reset'): void => end(() => reject(new TransportError(reason, url)))
        if (host === undefined) return fail('refused')
        const { process } = host
        const life = viewer.life
        const back = (how: () => void): void =>
          void network.segment(process.name, viewer.name, () => viewer.enter(life, how))
        network.segment(viewer.name, process.name, () => {
          if (over()) return
          if (process.state === 'down') return back(() => fail('refused'))
          const forget = host.onEnd(() => back(() => fail('reset')))
          process.enter(process.life, () => {
            if (over()) return forget()
            host.handle({
              path: slash === -1 ? '/' : url.slice(slash),
              isOver: over,
              answer: (answer) => {
                forget()
                back(() => end(() => resolve(answer)))
              },
            })
          })
        })
      }),
  }
}

function once(signal: AbortSignal, time: VirtualTime, onAbort: () => void) {
  let isOver = false
  const end = (how: () => void): void => {
    if (isOver) return
    isOver = true
    signal.removeEventListener('abort', abort)
    time.stir()
    how()
  }
  const abort = (): void => end(onAbort)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return { over: (): boolean => isOver, end }
}

const encoder = new TextEncoder()

export const json = (status: number, document: unknown): HttpAnswer => new JsonAnswer(status, document)

/** Written out when it is read: most refusals never are. */
class JsonAnswer implements HttpAnswer {
  readonly status: number
  readonly headers = {}
  readonly #document: unknown

  constructor(status: number, document: unknown) {
    this.status = status
    this.#document = document
  }

  get body(): Uint8Array {
    return encoder.encode(JSON.stringify(this.#document))
  }
}
