import * as E from 'fp-ts/lib/Either.js'
import type { StitchResult } from '../../events/index.js'
import type { Manifest } from '../../messaging/index.js'
import type { SegmentBuffer } from '../buffer/index.js'
import { mapTracks, tracksOf, type PerTrack } from '../segment.js'
import { wrong, type PeerError } from './errors.js'
import { everyTrack, type Peer } from './peer.js'

/** What a pass over the last N segments found. `primaryLiveNumber` is null when the peer did not answer. */
export interface Stitched {
  readonly result: StitchResult
  readonly primaryLiveNumber: number | null
}

export interface StitchOptions {
  readonly buffer: SegmentBuffer
  readonly peer: Peer
  /** N. */
  readonly count: number
  /** Segments above this number are left to the own encoder; null: take all. */
  readonly upTo: number | null
  /** Tries for each segment and for the manifest. Default 3. */
  readonly attemptsMax?: number
}

const parallelCopies = 4

/**
 * Makes the last N segments here equal to the peer's: compares by SHA-256, copies what is missing or different, and
 * verifies what was copied. An unreachable peer is no failure: what could not be compared is counted as unverified.
 * A peer that keeps answering with other bytes than its manifest promises is one (PeerWrong).
 */
export async function stitch(options: StitchOptions): Promise<E.Either<PeerError, Stitched>> {
  const { buffer, peer, count, upTo, attemptsMax = 3 } = options
  const manifest = await persistently(attemptsMax, () => peer.manifest())
  if (E.isLeft(manifest)) {
    if (manifest.left._tag === 'PeerWrong') return manifest
    return E.right({ result: unverifiedResult(buffer, count, upTo), primaryLiveNumber: null })
  }
  const live = manifest.right.live
  if (live === null) return E.right({ result: unverifiedResult(buffer, count, upTo), primaryLiveNumber: null })
  const last = upTo === null ? live : Math.min(live, upTo)
  const wanted = manifest.right.segments.filter(({ number }) => number > last - count && number <= last)
  const init = await matchInit(buffer, peer, manifest.right, attemptsMax)
  if (E.isLeft(init) && init.left._tag === 'PeerWrong') return init

  const tally = { verified: 0, copied: 0, different: 0, lost: 0 }
  const queue = [...wanted]
  const failures: PeerError[] = []
  const worker = async (): Promise<void> => {
    for (let segment = queue.pop(); segment !== undefined && failures.length === 0; segment = queue.pop()) {
      const outcome = await matchSegment(buffer, peer, segment, attemptsMax)
      if (E.isRight(outcome)) {
        if (outcome.right === 'verified') tally.verified += 1
        else tally.copied += 1
        if (outcome.right === 'replaced') tally.different += 1
      } else if (outcome.left._tag === 'PeerWrong') failures.push(outcome.left)
      else tally.lost += 1
    }
  }
  await Promise.all(Array.from({ length: parallelCopies }, worker))
  const failure = failures[0]
  if (failure !== undefined) return E.left(failure)

  const held = buffer.segments().filter(({ number }) => number > last - count && number <= last)
  return E.right({
    primaryLiveNumber: live,
    result: {
      first: held[0]?.number ?? last,
      last: held.at(-1)?.number ?? last,
      verified: tally.verified,
      copied: tally.copied,
      different: tally.different,
      unverified: held.filter(({ verified }) => !verified).length,
      initIdentical: E.isRight(init) ? init.right : null,
      hashes: hashesOf(held),
    },
  })
}

/** `verified`: was here and equal; `copied`: was missing; `replaced`: was here but different. */
export type MatchOutcome = 'verified' | 'copied' | 'replaced'

/** Makes one number equal to the peer's. */
export async function matchSegment(
  buffer: SegmentBuffer,
  peer: Peer,
  segment: Manifest['segments'][number],
  attemptsMax: number,
): Promise<E.Either<PeerError, MatchOutcome>> {
  const { number } = segment
  const own = buffer.get(number)
  if (own !== null && hashesText(own) === hashesText(segment)) {
    buffer.markVerified(number)
    return E.right('verified')
  }
  const lacking = buffer.others.find((name) => !Object.hasOwn(segment.others, name))
  if (lacking !== undefined) return E.left(wrong(`${peer.ref.id}: segment ${number} has no track ${lacking}`))
  const copied = await everyTrack(segment, (expected, name) =>
    persistently(attemptsMax, () => peer.track(number, name, expected)),
  )
  if (E.isLeft(copied)) return copied
  buffer.putCopied(number, copied.right)
  return E.right(own === null ? 'copied' : 'replaced')
}

/** Hashes of all tracks as one text, to compare by. */
export const hashesText = (tracks: PerTrack<{ readonly sha256: string }>): string =>
  tracksOf(tracks)
    .map(([name, { sha256 }]) => `${name} ${sha256}`)
    .sort()
    .join(' ')

/** Whether the init segments are equal; takes the peer's over when there is none of this server's own. Null: not comparable yet. */
export async function matchInit(
  buffer: SegmentBuffer,
  peer: Peer,
  manifest: Manifest,
  attemptsMax: number,
): Promise<E.Either<PeerError, boolean | null>> {
  const theirs = manifest.init
  if (theirs === null) return E.right(null)
  const own = buffer.init()
  const isEqual = own !== null && hashesText(own) === hashesText(theirs)
  // One that was copied is the peer's of then: its encoder may have begun anew with another one.
  if (isEqual || own?.origin === 'encoded') return E.right(isEqual)
  const copied = await persistently(attemptsMax, () => peer.init(theirs))
  if (E.isLeft(copied)) return copied
  const { combined } = copied.right
  const bytes = mapTracks(copied.right, (each) => each.bytes)
  if (buffer.init()?.origin !== 'encoded') buffer.putInit({ ...bytes, combined: combined.bytes }, 'copied')
  return E.right(true)
}

const retryPauseMs = 40

/** Tries again, a few times; "does not have it" is final. */
async function persistently<T>(
  attemptsMax: number,
  attempt: () => Promise<E.Either<PeerError, T>>,
): Promise<E.Either<PeerError, T>> {
  let last: E.Either<PeerError, T> = E.left(wrong('no attempt was made'))
  for (let made = 0; made < attemptsMax; made += 1) {
    if (made > 0) await new Promise((resolve) => setTimeout(resolve, retryPauseMs * made))
    last = await attempt()
    if (E.isRight(last) || last.left._tag === 'PeerLacks') return last
  }
  return last
}

const hashesOf = (held: ReturnType<SegmentBuffer['segments']>): StitchResult['hashes'] =>
  held.map(({ number, video, audio, others }) => ({
    ...{ number, video: video.sha256, audio: audio.sha256 },
    others: Object.entries(others).map(([track, { sha256 }]) => ({ track, sha256 })),
  }))

/** What is here, when there is nobody to compare with. */
export function unverifiedResult(buffer: SegmentBuffer, count: number, upTo: number | null): StitchResult {
  const last = upTo ?? buffer.live() ?? 0
  const held = buffer.segments().filter(({ number }) => number > last - count && number <= last)
  return {
    first: held[0]?.number ?? last,
    last: held.at(-1)?.number ?? last,
    verified: held.filter(({ verified }) => verified).length,
    copied: 0,
    different: 0,
    unverified: held.filter(({ verified }) => !verified).length,
    initIdentical: null,
    hashes: hashesOf(held),
  }
}
