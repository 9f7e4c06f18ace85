import { StoreError, StoreUnavailable } from '../../errors.js'

/** What a failure of the client means. Plain data: the client's own error classes stay in this folder. */
export type Fault =
  | { readonly type: 'conflict'; readonly actual: number | null }
  | { readonly type: 'deleted' }
  | { readonly type: 'not-found' }
  | { readonly type: 'too-large'; readonly bytesMax: number | null }
  /** The server will go on saying so until somebody changes something. */
  | { readonly type: 'refused'; readonly reason: string }
  /** Nothing reached a server. */
  | { readonly type: 'unreachable'; readonly reason: string }
  /** The connection broke, or a server could not say: what had been asked may have been done. */
  | { readonly type: 'broken'; readonly reason: string }

/** Seen where an attempt to connect failed: then nothing was sent. */
const neverSent =
  /No connection established|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|Name resolution failed|Failed to discover/i

/** @param shown the server, as people may see it */
export function faultOf(error: unknown, shown: string, user: string | null): Fault {
  const detail = detailOf(error)
  switch (typeOf(error)) {
    case 'wrong-expected-version': {
      const { actualVersion } = error as { readonly actualVersion?: bigint | 'no_stream' }
      return { type: 'conflict', actual: typeof actualVersion === 'bigint' ? Number(actualVersion) : null }
    }
    case 'stream-deleted':
      return { type: 'deleted' }
    case 'stream-not-found':
      return { type: 'not-found' }
    case 'maximum-append-size-exceeded': {
      const { maxAppendSize } = error as { readonly maxAppendSize?: number }
      return { type: 'too-large', bytesMax: maxAppendSize ?? null }
    }
    case 'access-denied': {
      const who = user === null ? 'calls without a user' : `the user ${user}`
      const advice =
        'check name and password in the connection; the user must be a member of $admins, or allowed to read $all'
      return { type: 'refused', reason: `${shown} refuses ${who} (${detail}); ${advice}` }
    }
    case 'unsupported':
      return { type: 'refused', reason: `${shown}: ${detail}` }
    default:
      return neverSent.test(detail)
        ? { type: 'unreachable', reason: `${shown} cannot be reached (${detail})${hintOf(detail)}` }
        : { type: 'broken', reason: `${shown} broke off (${detail})` }
  }
}

/** The error of the store port for a failure outside of an append. */
export function storeErrorOf(fault: Fault, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const reason = 'reason' in fault ? fault.reason : `unexpected answer: ${fault.type}`
  return new StoreUnavailable(reason, cause)
}

/** The client's kind of error; undefined for its plain ones and for those of others. */
const typeOf = (error: unknown): string | undefined => {
  if (typeof error !== 'object' || error === null || !('type' in error)) return undefined
  return typeof error.type === 'string' ? error.type : undefined
}

const detailOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').slice(0, 300)

/** What most often is behind a connection that cannot be made. */
function hintOf(detail: string): string {
  if (/wrong version number|EPROTO|packet length too long/i.test(detail)) {
    return '; it does not speak TLS: if it is meant to be open to everybody, add ?tls=false'
  }
  if (/certificate|self.signed|unable to verify/i.test(detail)) {
    return '; its certificate is not trusted: give that of its authority with tlsCAFile=FILE'
  }
  return '; check that EventStoreDB runs there'
}
