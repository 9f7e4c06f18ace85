import type { ConnectionOptions } from 'nats'

export interface NatsAddress {
  /** Host and port of each server, without scheme and credentials. */
  readonly servers: ReadonlyArray<string>
  /** What the client needs beyond the servers: credentials and TLS. */
  readonly connection: Pick<ConnectionOptions, 'user' | 'pass' | 'token' | 'tls'>
  /** The address without credentials, for messages and logs. */
  readonly shown: string
}

/**
 * Reads `nats://[user:password@|token@]host[:port]`, also `tls://`, or several of them with commas between; the
 * credentials of the first hold for all.
 *
 * @throws RangeError when it is no such address. The message does not repeat it, for it may hold a password.
 */
export function parseAddress(url: string): NatsAddress {
  const urls = url.split(',').map((part) => parseOne(part.trim()))
  const [first] = urls
  if (first === undefined) throw new RangeError('the address of the NATS server is empty')
  const user = decodeURIComponent(first.username)
  const pass = decodeURIComponent(first.password)
  return {
    servers: urls.map((part) => part.host),
    connection: {
      ...(pass !== '' ? { user, pass } : user !== '' ? { token: user } : {}),
      ...(first.protocol === 'tls:' ? { tls: {} } : {}),
    },
    shown: urls.map((part) => `${part.protocol}//${part.host}`).join(','),
  }
}

function parseOne(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && ['nats:', 'tls:'].includes(url.protocol) && url.hostname !== '') return url
  throw new RangeError('the address of a NATS server must look like nats://host:4222 or tls://user:password@host:4222')
}
