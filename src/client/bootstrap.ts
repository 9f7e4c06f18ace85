import { readManifest, type KnownManifest, type Read } from './documents.js'
import type { Clock, Transport } from './ports.js'
import type { Opening } from './route.js'
import type { Trust } from './trust.js'
import { getWithin } from './within.js'

export interface Asking {
  readonly transport: Transport
  readonly clock: Clock
  readonly stream: string
  readonly deadlineMs: number
  readonly signal: AbortSignal
  readonly trust: Trust
}

const decoder = new TextDecoder()

const fetchDocument = async <T>(
  asking: Asking,
  url: string,
  read: (json: string) => Read<T> | Promise<Read<T>>,
): Promise<Read<T>> => {
  try {
    const answer = await getWithin(asking.transport, asking.clock, url, asking.deadlineMs, asking.signal)
    if (answer.status !== 200) return { _tag: 'invalid', reason: `${url} answered ${answer.status}` }
    const document = await read(decoder.decode(answer.body))
    return document._tag === 'valid' ? document : { _tag: 'invalid', reason: `${url}: ${document.reason}` }
  } catch (error) {
    return { _tag: 'invalid', reason: error instanceof Error ? error.message : String(error) }
  }
}

export const withoutSlash = (url: string): string => url.replace(/\/+$/, '')

/**
 * Where the session document may be. A bootstrap URL is the document's own URL (it ends in /session), or the base URL
 * of a media server or of the control plane.
 */
export const sessionUrls = (bootstrap: string, stream: string): ReadonlyArray<string> => {
  const base = withoutSlash(bootstrap)
  return base.endsWith('/session')
    ? [base]
    : [`${base}/streams/${stream}/session`, `${base}/api/streams/${stream}/session`]
}

const fetchSession = async (asking: Asking, urls: ReadonlyArray<string>): Promise<Read<Opening>> => {
  const reasons: string[] = []
  for (const url of urls) {
    const opening = await fetchDocument(asking, url, (json) => asking.trust.open(json, asking.stream))
    if (opening._tag === 'valid') return opening
    reasons.push(opening.reason)
  }
  return { _tag: 'invalid', reason: reasons.join('; ') }
}

/** Asks all at once; every document that came. `sources`: for each of them the URLs to try one after the other. */
export const fetchSessions = async (
  asking: Asking,
  sources: ReadonlyArray<ReadonlyArray<string>>,
): Promise<ReadonlyArray<Opening>> => {
  const results = await Promise.all(sources.map((urls) => fetchSession(asking, urls)))
  return results.flatMap((result) => (result._tag === 'valid' ? [result.value] : []))
}

/** Asks all at once and takes the first document that comes; else why there is none. */
export const firstSession = async (
  asking: Asking,
  sources: ReadonlyArray<ReadonlyArray<string>>,
): Promise<Read<Opening>> => {
  const reasons: string[] = []
  const asked = sources.map(async (urls) => {
    const result = await fetchSession(asking, urls)
    if (result._tag === 'valid') return result
    reasons.push(result.reason)
    throw new Error(result.reason)
  })
  return Promise.any(asked).catch(() => ({ _tag: 'invalid', reason: reasons.join('; ') || 'no URL was given' }))
}

/** A manifest and when it came, on the viewer's clock. */
export type Arrived = KnownManifest & { readonly arrivedAtMs: number }

export const fetchManifest = async (asking: Asking, serverUrl: string): Promise<Arrived | null> => {
  const url = `${withoutSlash(serverUrl)}/streams/${asking.stream}/manifest.json`
  const result = await fetchDocument(asking, url, readManifest)
  if (result._tag === 'invalid' || result.value.stream !== asking.stream) return null
  return { ...result.value, arrivedAtMs: asking.clock.now() }
}
