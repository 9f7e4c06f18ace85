import type { NoticeChannel, NoticeChannelHandlers, OpenNoticeChannel } from './ports.js'

/** A way that has not opened within this time is not open here: proxies swallow what they do not know. */
const openMsMax = 3_000
const pollMs = 1_000

/**
 * A notice channel for networks that let no WebSocket through: server-sent events, and where these are held back too,
 * polling; what the viewer says is posted. Pass it as `openChannel`. A way that opens is used until it breaks; the next
 * attempt begins with the first way again.
 */
export const withFallback = (first: OpenNoticeChannel): OpenNoticeChannel => {
  const ways = [first, openEvents, openPolling]
  const failed = new Map<string, number>()
  return (url, handlers) => {
    const count = failed.get(url) ?? 0
    const open = ways[count % ways.length] ?? first
    let state: 'opening' | 'open' | 'closed' = 'opening'
    const closeOnce = (failures: number): void => {
      if (state === 'closed') return
      failed.set(url, state === 'open' ? 0 : failures)
      state = 'closed'
      clearTimeout(timer)
      handlers.onClose()
    }
    const channel = open(url, {
      onOpen: () => {
        if (state !== 'opening') return
        state = 'open'
        clearTimeout(timer)
        handlers.onOpen()
      },
      onMessage: (text) => {
        if (state === 'open') handlers.onMessage(text)
      },
      onClose: () => closeOnce(count + 1),
    })
    const timer = setTimeout(() => {
      closeOnce(count + 1)
      channel.close()
    }, openMsMax)
    return {
      send: (message) => channel.send(message),
      // Whoever closes it before it has opened says nothing about the way.
      close: () => {
        closeOnce(count)
        channel.close()
      },
    }
  }
}

/** The channel's name is ours to choose; its address is that of the WebSocket, over HTTP. */
const addressOf = (url: string, way: 'events' | 'messages'): string =>
  `${url.replace(/^ws/, 'http')}/${way}?channel=${crypto.randomUUID()}`

interface Speaking {
  readonly handlers: NoticeChannelHandlers
  readonly signal: AbortSignal
}

const channelBy = (
  url: string,
  handlers: NoticeChannelHandlers,
  listen: (address: string, speaking: Speaking) => Promise<void>,
): NoticeChannel => {
  const ended = new AbortController()
  const address = addressOf(url, 'messages')
  const close = (): void => {
    if (ended.signal.aborted) return
    ended.abort()
    handlers.onClose()
  }
  listen(address, { handlers, signal: ended.signal }).then(close, close)
  let said = Promise.resolve()
  return {
    // One after the other, because order matters: hello comes first. The last word may be said after the end.
    send: (message) => {
      const body = JSON.stringify(message)
      said = said
        .then(() => fetch(address, { method: 'POST', body, keepalive: true }))
        .then((answer) => void (answer.ok || close()), close)
    },
    close: () => void said.then(close),
  }
}

const openEvents: OpenNoticeChannel = (url, handlers) =>
  channelBy(url, handlers, async (address, { signal }) => {
    const answer = await fetch(address.replace('/messages?', '/events?'), { signal, cache: 'no-store' })
    if (!answer.ok || answer.body === null) return
    handlers.onOpen()
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const lines = (rest + value).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.startsWith('data:')) handlers.onMessage(line.slice(5).trim())
    }
  })

const openPolling: OpenNoticeChannel = (url, handlers) =>
  channelBy(url, handlers, async (address, { signal }) => {
    let open = false
    while (!signal.aborted) {
      const answer = await fetch(address, { signal, cache: 'no-store' })
      if (!answer.ok) return
      if (!open) handlers.onOpen()
      open = true
      const messages: unknown = await answer.json()
      if (Array.isArray(messages)) for (const message of messages) handlers.onMessage(JSON.stringify(message))
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  })
