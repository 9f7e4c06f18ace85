import { fetchManifest, firstSession, sessionUrls, type Asking } from './bootstrap.js'
import type { KnownManifest } from './documents.js'
import type { BootstrapFailed, StreamUnavailable } from './errors.js'
import type { Opening } from './route.js'

export interface FindOptions<T> {
  readonly asking: Asking
  readonly bootstrap: ReadonlyArray<string>
  readonly random: () => number
  /** How long to look. */
  readonly startupMs: number
  readonly isWanted: () => boolean
  /** What else is needed of a server; null: it does not have it. */
  readonly prepare: (serverUrl: string) => Promise<T | null>
}

/** Where a stream is, and that it can be played. */
export interface FoundStream<T> {
  readonly opening: Opening
  readonly manifest: KnownManifest
  /** Newest complete number. */
  readonly live: number
  readonly prepared: T
}

const retryMs = 300

/** Looks until a server has something to play. Null when nobody wants it any more. */
export const findStream = async <T>(
  options: FindOptions<T>,
): Promise<FoundStream<T> | BootstrapFailed | StreamUnavailable | null> => {
  const { asking, bootstrap, random, startupMs, isWanted } = options
  const { clock, stream } = asking
  const sources = bootstrap.map((url) => sessionUrls(url, stream))
  const endsAtMs = clock.now() + startupMs
  let known: Opening | null = null
  let reason = ''
  while (isWanted()) {
    const answer = await firstSession(asking, sources)
    if (!isWanted()) return null
    if (answer._tag === 'valid') {
      known = answer.value
      const found = await playable(known, options)
      if (found !== null || !isWanted()) return found
    } else reason = answer.reason
    if (clock.now() >= endsAtMs) return whyNot(stream, bootstrap, known, reason)
    await new Promise<void>((resolve) => void clock.setTimer(resolve, retryMs * (0.75 + random() / 2)))
  }
  return null
}

const playable = async <T>(
  opening: Opening,
  { asking, isWanted, prepare }: FindOptions<T>,
): Promise<FoundStream<T> | null> => {
  for (const server of [opening.route.primary, opening.route.standby]) {
    if (server === null) continue
    const [manifest, prepared] = await Promise.all([fetchManifest(asking, server.url), prepare(server.url)])
    if (!isWanted()) return null
    const live = manifest?.live ?? null
    if (manifest !== null && live !== null && prepared !== null) return { opening, manifest, live, prepared }
  }
  return null
}

const whyNot = (
  stream: string,
  tried: ReadonlyArray<string>,
  known: Opening | null,
  reason: string,
): BootstrapFailed | StreamUnavailable =>
  known === null
    ? {
        _tag: 'BootstrapFailed',
        message: `nobody could tell where stream ${stream} is served: ${reason}. Check the URLs and that the stream is open`,
        tried,
      }
    : {
        _tag: 'StreamUnavailable',
        message: `stream ${stream} is known (primary ${known.route.primary.url}), but no server had a segment of it to play. Check that its ingest and encoder run`,
      }
