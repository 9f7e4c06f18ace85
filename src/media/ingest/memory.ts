import * as E from 'fp-ts/lib/Either.js'
import { firstCounters } from '../feed/block.js'
import type { FeedBlock, JournalFailure, RememberedFeed } from '../feed/index.js'
import { msOfTicks, ticksOfMs, type MediaTicks, type StreamFormat } from '../format.js'
import type { FeedPlace } from './contribution.js'
import { ingestError, type IngestError } from './errors.js'

/** An interruption shorter than this is filled, so that no segment number is left out. */
const fillMsMax = 60_000
/** A feed may be ahead of the clock by its source's drift, not by this much. */
const aheadMsMax = 24 * 3_600_000

/** How an ingest begins, by what an earlier run has left. */
export interface Beginning {
  /** What is gone on with; null: nothing. */
  readonly continued: { readonly feed: RememberedFeed; readonly place: FeedPlace } | null
  /** A new feed must not give numbers that were given out before. */
  readonly startTicksMin: MediaTicks
}

/** What of a format makes a feed another one: not what encoders make of it, nor how its sounds are called. */
export const formatName = ({ renditions: _r, audioOnly: _a, sounds, ...format }: StreamFormat): string =>
  JSON.stringify({ ...format, ...(sounds.length > 1 ? { sounds: sounds.length } : {}) })

/** Decides whether a feed is gone on with: it has the same format, and the interruption can be filled. */
export function beginningAfter(
  left: E.Either<JournalFailure, RememberedFeed | null>,
  format: StreamFormat,
  nowMs: number,
): E.Either<IngestError, Beginning> {
  if (E.isLeft(left)) return bad(left.left.path, left.left.message)
  const feed = left.right
  if (feed === null) return E.right({ continued: null, startTicksMin: 0 })
  const place = placeAfter(feed)
  const aheadMs = msOfTicks(place.videoTicks - ticksOfMs(nowMs))
  if (aheadMs > aheadMsMax) {
    return bad('the journal of the feed', `is ${Math.round(aheadMs / 3_600_000)} hours ahead of the clock`)
  }
  const fits = feed.format === formatName(format) && aheadMs >= -fillMsMax
  return E.right({ continued: fits ? { feed, place } : null, startTicksMin: place.videoTicks })
}

const bad = (what: string, message: string): E.Either<IngestError, never> =>
  E.left(ingestError('BadState', `${what}: ${message}; delete the ingest-*.feed.* files to begin a new timeline`))

function placeAfter({ blocks, sounds }: RememberedFeed): FeedPlace {
  const endOf = (track: FeedBlock['track'], sound = 0): MediaTicks | undefined =>
    blocks.findLast((block) => block.track === track && block.sound === sound)?.endTicks
  const videoTicks = endOf('video') ?? 0
  return {
    videoTicks,
    soundTicks: Array.from({ length: sounds }, (_, sound) => endOf('audio', sound) ?? videoTicks),
    counters: blocks.at(-1)?.counters ?? firstCounters(sounds),
  }
}
