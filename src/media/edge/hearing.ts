import * as E from 'fp-ts/lib/Either.js'
import { describeErrors } from '../../events/index.js'
import { ViewerMessage } from '../../messaging/index.js'
import type { Channel, ChannelHandlers } from './channel.js'

/** A well-behaved viewer sends a few messages for each change of server. */
const messagesPerSMax = 20
const burstMax = 60

/** Decodes what a viewer says, and hangs up on one that says too much. Null: something that is no text. */
export function hearWithin(
  channel: Pick<Channel, 'send' | 'close'>,
  handlers: Pick<ChannelHandlers, 'onMessage' | 'onMalformed'>,
): (text: string | null) => void {
  let tokens = burstMax
  let refilledAtMs = performance.now()
  const withinRate = (): boolean => {
    const nowMs = performance.now()
    tokens = Math.min(burstMax, tokens + ((nowMs - refilledAtMs) / 1_000) * messagesPerSMax)
    refilledAtMs = nowMs
    tokens -= 1
    return tokens >= 0
  }
  return (text) => {
    if (!withinRate()) return channel.close(1008, 'too many messages')
    const decoded = text === null ? E.left('binary messages are not understood; send JSON text') : decodeText(text)
    if (E.isRight(decoded)) return handlers.onMessage(decoded.right)
    channel.send({ type: 'refused', reason: decoded.left, ticket: null })
    handlers.onMalformed(decoded.left, text ?? '')
  }
}

const decodeText = (text: string): E.Either<string, ViewerMessage> => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return E.left('not JSON')
  }
  const decoded = ViewerMessage.decode(parsed)
  return E.isRight(decoded) ? decoded : E.left(describeErrors(decoded.left))
}
