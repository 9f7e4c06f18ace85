import * as E from 'fp-ts/lib/Either.js'
import type { SegmentBuffer } from '../buffer/index.js'
import type { PeerError } from './errors.js'
import type { Peer } from './peer.js'
import { hashesText, matchInit, matchSegment } from './stitch.js'

export interface FollowOptions {
  readonly buffer: SegmentBuffer
  readonly peer: Peer
  /** N: how far back it fills up at the start. */
  readonly count: number
  /** While the own encoder runs, a number that is missing here is left to it until the peer is this far ahead. */
  readonly encoding: () => boolean
  /** First number that the peer no longer decides about (the cut-over); null: none. */
  readonly until: () => number | null
  readonly onReachable?: (reachable: boolean) => void
  readonly onTrouble?: (error: PeerError) => void
}

export interface Follower {
  readonly peer: Peer
  /** The peer's live number when it last answered. */
  readonly peerLive: () => number | null
  /** Since when (monotonic milliseconds) the peer has been answering; null: it does not answer. */
  readonly reachableSinceMs: () => number | null
  /** Whether the peer was asked at all yet, with whatever outcome. */
  readonly asked: () => boolean
  readonly stop: () => void
}

const ownEncoderGraceSegments = 2
const pauseMs = { unreachable: 250, nothingNew: 50 } as const

/**
 * Keeps the buffer equal to the peer's, segment by segment: long-polls its manifest, copies what is missing, compares
 * what the own encoder made, and lets the peer's bytes win where they differ. Runs until stopped; trouble is retried.
 */
export function follow(options: FollowOptions): Follower {
  const { buffer, peer, count } = options
  const compared = new Map<number, string>()
  let stopped = false
  let asked = false
  let peerLive: number | null = null
  let reachableSinceMs: number | null = null
  /** First number that is still to be copied or compared: those before it need not be listed again. */
  let undone = 0
  let wake: () => void = () => undefined

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const reached = (reachable: boolean): void => {
    if (reachable === (reachableSinceMs !== null)) return
    reachableSinceMs = reachable ? performance.now() : null
    options.onReachable?.(reachable)
  }

  /** The next number, when everything before it is here: one request, instead of one for the list and one for each track. */
  const nextPair = async (number: number): Promise<boolean> => {
    const until = options.until()
    if (options.encoding() || buffer.get(number) !== null || (until !== null && number >= until)) return false
    const pair = await peer.pair(number)
    if (stopped) return true
    if (E.isLeft(pair) || pair.right.init !== buffer.init()?.combined.sha256) return false
    if (!buffer.putCopied(number, pair.right)) return false
    compared.set(number, hashesText(pair.right))
    compared.delete(number - count * 2)
    peerLive = number
    undone = number + 1
    return true
  }

  const round = async (): Promise<number> => {
    if (reachableSinceMs !== null && peerLive !== null && undone === peerLive + 1 && (await nextPair(undone))) return 0
    const manifest = await peer.manifest(peerLive, undone)
    if (stopped) return 0
    asked = true
    if (E.isLeft(manifest)) {
      options.onTrouble?.(manifest.left)
      if (manifest.left._tag === 'PeerUnreachable') reached(false)
      peerLive = null
      undone = 0
      return pauseMs.unreachable
    }
    reached(true)
    const { live, segments } = manifest.right
    if (live === null) return pauseMs.unreachable
    const nothingNew = live === peerLive
    // A peer that went back has begun anew.
    const restarted = peerLive !== null && live < peerLive
    peerLive = live
    let left: number | null = null
    let expected = undone
    await matchInit(buffer, peer, manifest.right, 2)
    for (const segment of segments) {
      if (stopped) return 0
      const { number } = segment
      // What is missing there between others may still come.
      if (expected > 0 && number > expected) left ??= expected
      expected = number + 1
      if (number <= live - count) continue
      const until = options.until()
      if (until !== null && number >= until) {
        // Not done with: the cut-over may be revoked.
        left ??= number
        continue
      }
      const known = hashesText(segment)
      const own = buffer.get(number)
      if (own !== null && compared.get(number) === known) continue
      if (own === null && options.encoding() && number > live - ownEncoderGraceSegments) {
        left ??= number
        continue
      }
      const outcome = await matchSegment(buffer, peer, segment, 2)
      if (E.isRight(outcome)) compared.set(number, known)
      else {
        left ??= number
        options.onTrouble?.(outcome.left)
      }
    }
    undone = restarted ? 0 : Math.max(left ?? live + 1, live - count + 1)
    for (const number of compared.keys()) if (number <= live - count * 2) compared.delete(number)
    return nothingNew ? pauseMs.nothingNew : 0
  }

  const run = async (): Promise<void> => {
    while (!stopped) {
      const waitMs = await round()
      if (waitMs > 0 && !stopped) await pause(waitMs)
    }
  }
  void run()

  return {
    peer,
    peerLive: () => peerLive,
    reachableSinceMs: () => reachableSinceMs,
    asked: () => asked,
    stop() {
      stopped = true
      wake()
    },
  }
}
