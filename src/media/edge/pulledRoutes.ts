import type { IncomingMessage, ServerResponse } from 'node:http'
import { sharedHeaders } from '../origin/answers.js'
import type { ChannelHandlers } from './channel.js'
import { openPulledChannel, textOf, type PulledChannel } from './pulled.js'

export interface PulledRoutesOptions {
  /** A viewer has come: opens its channel. */
  readonly accept: (stream: string, open: (handlers: ChannelHandlers) => PulledChannel) => PulledChannel
  readonly messageBytesMax: number
}

const pattern = /^\/notices\/([A-Za-z0-9][A-Za-z0-9_-]{0,63})\/(events|messages)\?channel=([A-Za-z0-9-]{16,64})$/
const channelsMax = 20_000

/**
 * Notice channels over plain HTTP, for networks without WebSocket: `GET events` are server-sent events, `GET messages`
 * what has been said since the last poll, `POST messages` what the viewer says. The viewer chooses the channel's name.
 */
export function createPulledRoutes({ accept, messageBytesMax }: PulledRoutesOptions) {
  const channels = new Map<string, PulledChannel>()

  const channelOf = (stream: string, name: string): PulledChannel | null => {
    const key = `${stream} ${name}`
    const known = channels.get(key)
    if (known !== undefined) return known
    if (channels.size >= channelsMax) return null
    const opened = accept(stream, (handlers) =>
      openPulledChannel({
        ...handlers,
        onClose: () => {
          channels.delete(key)
          handlers.onClose()
        },
      }),
    )
    if (!opened.isClosed()) channels.set(key, opened)
    return opened
  }

  const say = async (channel: PulledChannel, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await textOf(request, messageBytesMax)
    if (text !== null) channel.hear(text)
    answer(response, text === null ? 413 : 204)
  }

  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const [, stream, way, name] = pattern.exec(request.url ?? '') ?? []
    if (stream === undefined || name === undefined) return false
    const { method } = request
    if (method !== 'GET' && !(method === 'POST' && way === 'messages')) return false
    const channel = channelOf(stream, name)
    if (channel === null || channel.isClosed()) answer(response, channel === null ? 503 : 410)
    else if (method === 'POST') say(channel, request, response).catch(() => response.destroy())
    else if (way === 'messages') answer(response, 200, `[${channel.take().join(',')}]`)
    else {
      response.writeHead(200, [...sharedHeaders, 'content-type', 'text/event-stream', 'cache-control', 'no-store'])
      response.write(':\n\n')
      channel.stream(response)
    }
    return true
  }
}

const answer = (response: ServerResponse, status: number, body = ''): void => {
  const type = body === '' ? [] : ['content-type', 'application/json; charset=utf-8']
  response.writeHead(status, [...sharedHeaders, 'cache-control', 'no-store', ...type])
  response.end(body)
}
