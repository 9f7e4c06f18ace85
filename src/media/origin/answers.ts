import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { Route } from '../../messaging/index.js'
import type { HashedBytes } from '../buffer/index.js'

export const exposedHeaders = ['ETag', 'Content-Digest', 'Retry-After', 'segue-epoch', 'segue-role'].join(', ')

/** Identifiers of everything the origin refuses; `message` in the body says the rest. */
export type Refusal =
  | 'bad-request'
  | 'unknown-stream'
  | 'not-found'
  | 'not-local'
  | 'not-yet'
  | 'gone'
  | 'fenced'
  | 'authority-unconfirmed'
  | 'no-session'
  | 'internal'

/** What is sent, whoever sends it. */
export interface Answer {
  readonly status: number
  /** Name and value in turn. */
  readonly headers: ReadonlyArray<string>
  readonly body: Uint8Array | string
}

/** What every answer carries: any page may read it. */
export const sharedHeaders: ReadonlyArray<string> = [
  ...['access-control-allow-origin', '*', 'access-control-expose-headers', exposedHeaders],
  ...['timing-allow-origin', '*', 'cross-origin-resource-policy', 'cross-origin'],
]

export const refusal = (
  status: number,
  error: Refusal,
  message: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: ReadonlyArray<string> = [],
): Answer => ({
  status,
  headers: ['content-type', 'application/json; charset=utf-8', 'cache-control', 'no-store', ...headers],
  body: JSON.stringify({ error, message, ...more }),
})

/** 421: the number belongs to a newer epoch; the body names who serves it. */
/** @param from the first number that is not served here any more */
export const fenced = ({ epoch, cutover, primary, standby }: Route, from = cutover): Answer =>
  refusal(421, 'fenced', `numbers from ${from} on are not served here: ask ${primary.id}`, {
    ...{ epoch, cutover, primary, standby },
  })

/** Bytes with a strong ETag and RFC 9530 digest, so that whoever copies them can prove that they are whole. */
export const bytesAnswer = (
  contentType: string,
  { bytes, sha256 }: HashedBytes,
  headers: ReadonlyArray<string>,
): Answer => ({
  status: 200,
  headers: [...headers, 'content-type', contentType, 'etag', `"${sha256}"`, 'content-digest', digestOf(sha256)],
  body: bytes,
})

const digestOf = (sha256: string): string => `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`

/** The asker has these bytes already (RFC 9110, 13.1.2): the same answer, without them. */
export const unlessKnown = (answer: Answer, ifNoneMatch: string | undefined): Answer => {
  if (ifNoneMatch === undefined || answer.status !== 200) return answer
  const etag = answer.headers[answer.headers.indexOf('etag') + 1] ?? ''
  const known = ifNoneMatch === '*' || ifNoneMatch.split(',').some((each) => each.trim().replace(/^W\//, '') === etag)
  return known ? { ...answer, status: 304, body: '' } : answer
}

export const send = (reply: FastifyReply, { status, headers, body }: Answer): FastifyReply => {
  for (let at = 0; at + 1 < headers.length; at += 2) reply.header(headers[at] ?? '', headers[at + 1])
  return reply.code(status).send(typeof body === 'string' ? body : asBuffer(body))
}

/** Sends past the framework. @param withBody false for HEAD */
export const write = (response: ServerResponse, { status, headers, body }: Answer, withBody: boolean): void => {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  // A 304 has no length of its own: it would be taken for that of the bytes.
  const length = status === 304 ? [] : ['content-length', String(bytes.length)]
  response.writeHead(status, [...sharedHeaders, ...headers, ...length])
  if (withBody && bytes.length > 0) response.end(bytes)
  else response.end()
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const refuse = (
  reply: FastifyReply,
  status: number,
  error: Refusal,
  message: string,
  more: Readonly<Record<string, unknown>> = {},
): FastifyReply => send(reply, refusal(status, error, message, more))

/** A segment number as it stands in a path or query; null when it is none. */
export const parseNumber = (text: string): number | null => {
  if (!/^\d{1,16}$/.test(text)) return null
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : null
}
