import type { FastifyReply } from 'fastify'
import type { Route } from '../../messaging/index.js'
import type { HashedBytes } from '../buffer/index.js'

export const exposedHeaders = ['ETag', 'Content-Digest', 'Retry-After', 'segue-epoch', 'segue-role'].join(', ')

/** Identifiers of everything the origin refuses; `message` in the body says the rest. */
export type Refusal =
  | 'bad-request'
  | 'unknown-stream'
  | 'not-found'
  | 'not-yet'
  | 'gone'
  | 'fenced'
  | 'authority-unconfirmed'
  | 'no-session'
  | 'internal'

export const refuse = (
  reply: FastifyReply,
  status: number,
  error: Refusal,
  message: string,
  more: Readonly<Record<string, unknown>> = {},
): FastifyReply =>
  reply
    .code(status)
    .header('cache-control', 'no-store')
    .send({ error, message, ...more })

/** 421: the number belongs to a newer epoch; the body names who serves it. */
export const refuseFenced = (reply: FastifyReply, route: Route): FastifyReply =>
  refuse(reply, 421, 'fenced', `numbers from ${route.cutover} on are served by ${route.primary.id}`, {
    epoch: route.epoch,
    cutover: route.cutover,
    primary: route.primary,
    standby: route.standby,
  })

/** Bytes with a strong ETag and RFC 9530 digest, so that whoever copies them can prove that they are whole. */
export const sendBytes = (reply: FastifyReply, contentType: string, content: HashedBytes): FastifyReply => {
  const { bytes, sha256 } = content
  return reply
    .header('etag', `"${sha256}"`)
    .header('content-digest', `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`)
    .type(contentType)
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

/** A segment number as it stands in a path or query; null when it is none. */
export const parseNumber = (text: string): number | null => {
  if (!/^\d{1,16}$/.test(text)) return null
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : null
}
