import { RequestFailed } from './errors.js'
import type { PlayerSession } from './playerContract.js'

/** The parts of the `shaka` namespace that are used; Shaka Player itself is not needed here. */
interface Shaka {
  readonly util: {
    readonly AbortableOperation: new (promise: Promise<unknown>, onAbort: () => Promise<void>) => unknown
    readonly Error: new (severity: number, category: number, code: number, ...data: unknown[]) => Error
  }
  readonly net: {
    readonly NetworkingEngine: {
      registerScheme(scheme: string, plugin: (...args: never[]) => never, priority?: number): void
      unregisterScheme(scheme: string): void
      readonly PluginPriority: { readonly APPLICATION: number }
    }
  }
}

/** shaka.util.Error: severity RECOVERABLE, category NETWORK. */
const [recoverable, network] = [1, 1]
const codes = { gone: 1001, timeout: 1003, aborted: 7001, 'too-many': 1002, ended: 1002 } as const

/** Schemes are known to all players of a page: no two may be the same. */
let made = 0

/**
 * Lets Shaka Player fetch through a session: `player.load(useWithShaka(shaka, session))`. URLs of the stream get a scheme
 * of their own, until the session ends, so that other requests of the page are untouched. Returns what to load.
 */
export const useWithShaka = (shaka: Shaka, session: PlayerSession): string => {
  made += 1
  const scheme = `segue-${session.id.toLowerCase().replace(/[^a-z0-9]/g, '')}-${made}`
  const { AbortableOperation, Error: ShakaError } = shaka.util
  const plugin = (uri: string, _request: unknown, requestType: unknown): unknown => {
    const controller = new AbortController()
    const startedAtMs = performance.now()
    const answer = session.request(uri, controller.signal).then(
      ({ bytes, headers }) => ({
        ...{ uri, originalUri: uri, status: 200, headers, fromCache: false },
        data: new Uint8Array(bytes).buffer,
        timeMs: performance.now() - startedAtMs,
      }),
      (error: unknown) => {
        const reason = error instanceof RequestFailed ? error.reason : 'gone'
        throw new ShakaError(recoverable, network, codes[reason], uri, 404, String(error), {}, requestType)
      },
    )
    const abort = (): Promise<void> => Promise.resolve(controller.abort())
    return new AbortableOperation(answer, abort)
  }
  const { NetworkingEngine } = shaka.net
  NetworkingEngine.registerScheme(scheme, plugin as never, NetworkingEngine.PluginPriority.APPLICATION)
  session.on('ended', () => NetworkingEngine.unregisterScheme(scheme))
  return session.url().replace(/^https?:/, `${scheme}:`)
}
