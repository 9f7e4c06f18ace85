import { fetchManifest, firstSession, sessionUrls, type Arrived, type Asking } from './bootstrap.js'
import type { BootstrapFailed, StreamUnavailable } from './errors.js'
import type { Opening, Server } from './route.js'

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

/** What a server has to play. */
export interface Playable<T> {
  readonly manifest: Arrived
  /** Newest complete number. */
  readonly live: number
  readonly prepared: T
}

/** Where a stream is, and that it can be played. */
export interface FoundStream<T> extends Playable<T> {
  readonly opening: Opening
}

const retryMs = 300

/** Looks until a server has something to play. Null when nobody wants it any more. */
export const findStream = async <T>(
  options: FindOptions<T>,
): Promise<FoundStream<T> | BootstrapFailed | StreamUnavailable | null> => {
  const { asking, bootstrap, random, startupMs, isWanted, prepare } = options
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
      const { primary, standby } = known.route
      const found = await newestOf(asking, standby === null ? [primary] : [primary, standby], prepare)
      if (!isWanted()) return null
      if (found !== null) return { ...found, opening: known }
    } else reason = answer.reason
    if (clock.now() >= endsAtMs) return whyNot(stream, bootstrap, known, reason)
    await new Promise<void>((resolve) => void clock.setTimer(resolve, retryMs * (0.75 + random() / 2)))
  }
  return null
}

/** Asks all at once and takes what is newest: the encoder of whoever answers first may stand still. Null: none has any. */
export const newestOf = async <T>(
  asking: Asking,
  servers: ReadonlyArray<Server>,
  prepare: FindOptions<T>['prepare'],
): Promise<Playable<T> | null> => {
  const found = await Promise.all(
    servers.map(async ({ url }) => {
      const [manifest, prepared] = await Promise.all([fetchManifest(asking, url), prepare(url)])
      const live = manifest?.live ?? null
      return manifest === null || live === null || prepared === null ? [] : [{ manifest, live, prepared }]
    }),
  )
  return found.flat().sort((a, b) => b.live - a.live)[0] ?? null
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
