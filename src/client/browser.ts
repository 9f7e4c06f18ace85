/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { TransportError, type Clock, type Crypto, type OpenNoticeChannel, type Transport } from './ports.js'

/** Wall clock that cannot jump while the page lives. */
export const browserClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  setTimer: (run, delayMs) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

/** HTTP by the browser's own fetch. A browser does not tell a refused connection from a broken one. */
export const browserTransport: Transport = {
  async get(url, { signal, headers }) {
    try {
      const answer = await fetch(url, { signal, cache: 'no-store', headers: headers ?? {} })
      const firstByteAtMs = browserClock.now()
      const body = new Uint8Array(await answer.arrayBuffer())
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body, firstByteAtMs }
    } catch (error) {
      throw new TransportError(signal.aborted ? 'aborted' : 'reset', url, error)
    }
  },
}

export const openBrowserChannel: OpenNoticeChannel = (url, { onOpen, onMessage, onClose }) => {
  const socket = new WebSocket(url)
  socket.addEventListener('open', () => onOpen())
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') onMessage(data)
  })
  socket.addEventListener('close', () => onClose(), { once: true })
  return {
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
    },
    close: () => socket.close(),
  }
}

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))

/** SubtleCrypto; available in secure contexts, which includes loopback addresses. */
export const browserCrypto: Crypto = {
  async sha256(bytes) {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))
    return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  },
  async verify(payload, signature, key) {
    try {
      const imported = await crypto.subtle.importKey('spki', bytesOf(key), { name: 'Ed25519' }, false, ['verify'])
      return await crypto.subtle.verify({ name: 'Ed25519' }, imported, bytesOf(signature), new Uint8Array(payload))
    } catch {
      return false
    }
  },
}

const lookMs = 1_000
/** The wall clock is not set by this much while a machine is awake. */
const sleptMsMin = 5_000

/** Runs when the network may be another one: back online, back from sleep, or shown again. Returns how to stop. */
export const onBrowserWake = (run: () => void): (() => void) => {
  if (typeof document === 'undefined') return () => undefined
  const shown = (): void => {
    if (document.visibilityState === 'visible') run()
  }
  // The clock of a page may stand still while the machine sleeps; the wall clock does not.
  const aheadMs = (): number => Date.now() - browserClock.now()
  let before = aheadMs()
  const timer = setInterval(() => {
    const now = aheadMs()
    if (Math.abs(now - before) > sleptMsMin) run()
    before = now
  }, lookMs)
  addEventListener('online', run)
  addEventListener('pageshow', run)
  document.addEventListener('visibilitychange', shown)
  return () => {
    clearInterval(timer)
    removeEventListener('online', run)
    removeEventListener('pageshow', run)
    document.removeEventListener('visibilitychange', shown)
  }
}

/** What a session needs of a browser. */
export const browserPorts = {
  onWake: onBrowserWake,
  transport: browserTransport,
  openChannel: openBrowserChannel,
  clock: browserClock,
  crypto: browserCrypto,
  random: (): number => Math.random(),
}
