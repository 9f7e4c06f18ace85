import { createHash } from 'node:crypto'
import type { StreamFormat } from '../../events/index.js'
import {
  mapTracks,
  tracksOf,
  type EncodedSegment,
  type InitSegments,
  type PerTrack,
  type TrackName,
} from '../segment.js'

/** Bytes with their SHA-256 (hex). */
export interface HashedBytes {
  readonly bytes: Uint8Array
  readonly sha256: string
}

/** A number of which all tracks are here. */
export interface HeldSegment extends PerTrack<HashedBytes> {
  readonly number: number
  /** Whether all tracks come from the encoder of this server, or were copied from a peer. */
  readonly origin: 'encoded' | 'copied'
  /** Whether they were compared with the primary's and are equal. */
  readonly verified: boolean
}

export interface HeldInit extends PerTrack<HashedBytes> {
  /** Whether it comes from the encoder of this server, or was copied from a peer. */
  readonly origin: 'encoded' | 'copied'
  readonly combined: HashedBytes
}

/**
 * What became of a track that the encoder delivered. `equal` and `different` compare with bytes that were there
 * before; those stay, because they may have been served. `old`: below what the buffer keeps.
 */
export type PutOutcome = 'stored' | 'equal' | 'different' | 'old'

/** The last segments of one stream, by number. Bounded; a number is complete when all of its tracks are here. */
export interface SegmentBuffer {
  /** Newest complete number, null when there is none. */
  readonly live: () => number | null
  /** Oldest complete number, null when there is none. */
  readonly oldest: () => number | null
  /** First number of the unbroken run that ends at the live number. */
  readonly runStart: () => number | null
  /** Newest number of which all tracks came from this server's encoder. */
  readonly encodedLive: () => number | null
  readonly get: (number: number) => HeldSegment | null
  /** Complete segments, oldest first. @param from first number wanted; default: all */
  readonly segments: (from?: number) => ReadonlyArray<HeldSegment>
  readonly init: () => HeldInit | null
  /** Tracks of each number beside `video` and `audio`. */
  readonly others: ReadonlyArray<TrackName>
  /** @param origin default: encoded */
  readonly putInit: (init: InitSegments, origin?: HeldInit['origin']) => void
  readonly putEncoded: (segment: EncodedSegment) => PutOutcome
  /** Takes all tracks of a number over from a peer; replaces what is there. False when the number is too old, or a track is missing. */
  readonly putCopied: (number: number, copied: PerTrack<HashedBytes>) => boolean
  readonly markVerified: (number: number) => void
  /**
   * Resolves to the segment as soon as it is complete; to null at the time-out, when the signal aborts, or when the
   * buffer is closed. A number below the live one that is not here may still come (a copy), so that is waited for too.
   */
  readonly waitFor: (number: number, timeoutMs: number, signal?: AbortSignal) => Promise<HeldSegment | null>
  /** Resolves to true once the live number is at least `number`, to false like waitFor to null. */
  readonly waitForLive: (number: number, timeoutMs: number, signal?: AbortSignal) => Promise<boolean>
  /** Changes how many numbers are kept. */
  readonly resize: (capacitySegments: number) => void
  readonly close: () => void
}

/** Viewers play up to a few seconds behind the live segment; they must still find their segments. */
const keptMsMin = 8_000
const marginSegments = 4

/** Numbers a buffer keeps when a stream asks for N = `bufferSegments`. */
export const bufferCapacity = (format: StreamFormat, bufferSegments: number): number =>
  Math.max(bufferSegments, Math.ceil((keptMsMin * 90) / format.segmentTicks)) + marginSegments

export const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export const hashed = (bytes: Uint8Array): HashedBytes => ({ bytes, sha256: sha256Hex(bytes) })

interface Slot {
  readonly number: number
  readonly tracks: Map<TrackName, HashedBytes>
  readonly encoded: Set<TrackName>
  origin: 'encoded' | 'copied'
  verified: boolean
  held: HeldSegment | null
}

/** Null while one is missing. */
const completeTracks = (
  tracks: ReadonlyMap<TrackName, HashedBytes>,
  others: ReadonlyArray<TrackName>,
): PerTrack<HashedBytes> | null => {
  const [video, audio] = [tracks.get('video'), tracks.get('audio')]
  const further = others.flatMap((name) => {
    const bytes = tracks.get(name)
    return bytes === undefined ? [] : [[name, bytes] as const]
  })
  const isComplete = video !== undefined && audio !== undefined && further.length === others.length
  return isComplete ? { video, audio, others: Object.fromEntries(further) } : null
}

interface Waiter {
  readonly number: number
  readonly kind: 'segment' | 'live'
  readonly settle: () => void
}

/**
 * @param capacity numbers kept, counted back from the newest complete one (bufferCapacity)
 * @param others tracks of a number beside `video` and `audio`
 */
export function createSegmentBuffer(capacity: number, others: ReadonlyArray<TrackName> = []): SegmentBuffer {
  const names = ['video', 'audio', ...others]
  let capacitySegments = capacity
  const slots = new Map<number, Slot>()
  const waiters = new Set<Waiter>()
  let liveNumber: number | null = null
  let oldestNumber: number | null = null
  let encodedLiveNumber: number | null = null
  let held: HeldInit | null = null
  let closed = false

  const tooOld = (number: number): boolean => liveNumber !== null && number <= liveNumber - capacitySegments

  const slotOf = (number: number): Slot => {
    const existing = slots.get(number)
    if (existing !== undefined) return existing
    const slot: Slot = {
      number,
      tracks: new Map(),
      encoded: new Set(),
      origin: 'encoded',
      verified: false,
      held: null,
    }
    slots.set(number, slot)
    boundIncomplete()
    return slot
  }

  /** Numbers above the live one are only bounded by this: a track that never gets its partner must not pile up. */
  const boundIncomplete = (): void => {
    if (slots.size <= capacitySegments * 2) return
    const oldest = [...slots.values()].filter((slot) => slot.held === null).sort((a, b) => a.number - b.number)[0]
    if (oldest !== undefined) slots.delete(oldest.number)
  }

  const evict = (): void => {
    for (const number of slots.keys()) if (tooOld(number)) slots.delete(number)
    oldestNumber = null
    for (const slot of slots.values()) {
      if (slot.held !== null && (oldestNumber === null || slot.number < oldestNumber)) oldestNumber = slot.number
    }
  }

  const refresh = (slot: Slot): void => {
    const tracks = completeTracks(slot.tracks, others)
    if (tracks === null) return
    const wasComplete = slot.held !== null
    slot.held = { number: slot.number, ...tracks, origin: slot.origin, verified: slot.verified }
    if (wasComplete) return
    if (liveNumber === null || slot.number > liveNumber) liveNumber = slot.number
    evict()
    for (const waiter of [...waiters]) {
      if (waiter.kind === 'segment' ? waiter.number === slot.number : waiter.number <= slot.number) waiter.settle()
    }
  }

  const wait = (number: number, kind: Waiter['kind'], timeoutMs: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (closed || timeoutMs <= 0 || signal?.aborted === true) return resolve()
      const settle = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', settle)
        waiters.delete(waiter)
        resolve()
      }
      const waiter: Waiter = { number, kind, settle }
      const timer = setTimeout(settle, timeoutMs)
      signal?.addEventListener('abort', settle, { once: true })
      waiters.add(waiter)
    })

  const get = (number: number): HeldSegment | null => slots.get(number)?.held ?? null

  return {
    live: () => liveNumber,
    oldest: () => oldestNumber,
    runStart() {
      if (liveNumber === null) return null
      let number = liveNumber
      while (get(number - 1) !== null) number -= 1
      return number
    },
    encodedLive: () => encodedLiveNumber,
    get,
    segments: (from = 0) =>
      [...slots.values()]
        .map((slot) => slot.held)
        .filter((segment) => segment !== null)
        .filter(({ number }) => number >= from)
        .sort((a, b) => a.number - b.number),
    init: () => held,
    others,
    putInit(init, origin = 'encoded') {
      held = { origin, ...mapTracks(init, hashed), combined: hashed(init.combined) }
    },
    putEncoded(segment) {
      if (closed || tooOld(segment.number)) return 'old'
      const slot = slotOf(segment.number)
      const fresh = hashed(segment.bytes)
      const present = slot.tracks.get(segment.track)
      slot.encoded.add(segment.track)
      if (names.every((name) => slot.encoded.has(name)) && segment.number > (encodedLiveNumber ?? -1)) {
        encodedLiveNumber = segment.number
      }
      if (present !== undefined) return present.sha256 === fresh.sha256 ? 'equal' : 'different'
      slot.tracks.set(segment.track, fresh)
      refresh(slot)
      return 'stored'
    },
    putCopied(number, copied) {
      const tracks = new Map(tracksOf(copied))
      if (closed || tooOld(number) || completeTracks(tracks, others) === null) return false
      const slot = slotOf(number)
      for (const [name, bytes] of tracks) slot.tracks.set(name, bytes)
      slot.origin = 'copied'
      slot.verified = true
      refresh(slot)
      return true
    },
    markVerified(number) {
      const slot = slots.get(number)
      if (slot === undefined || slot.held === null) return
      slot.verified = true
      slot.held = { ...slot.held, verified: true }
    },
    async waitFor(number, timeoutMs, signal) {
      const present = get(number)
      if (present !== null || tooOld(number)) return present
      await wait(number, 'segment', timeoutMs, signal)
      return get(number)
    },
    async waitForLive(number, timeoutMs, signal) {
      if (liveNumber !== null && liveNumber >= number) return true
      await wait(number, 'live', timeoutMs, signal)
      return liveNumber !== null && liveNumber >= number
    },
    resize(segments) {
      capacitySegments = segments
      evict()
    },
    close() {
      closed = true
      for (const waiter of [...waiters]) waiter.settle()
    },
  }
}
