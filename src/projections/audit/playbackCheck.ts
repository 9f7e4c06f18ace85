import type { EventIn, SegmentHashes } from '../../events/index.js'
import type { Tell } from './finding.js'

interface Damage {
  readonly gaps: number
  readonly duplicates: number
  readonly hashMismatches: number
}

/** Segments of which hashes are remembered for each stream; more than any buffer holds. */
const rememberedMax = 2_000

/**
 * Invariant 2, by what was recorded of it: no viewer measured a gap, a duplicate or other bytes, and two servers never
 * reported different hashes for the same number.
 */
export class PlaybackCheck {
  readonly #hashes = new Map<string, Map<number, SegmentHashes>>()
  readonly #tell: Tell

  constructor(tell: Tell) {
    this.#tell = tell
  }

  takeClient(streamId: string, revision: number, event: EventIn<'client'>): void {
    const damage = event.type === 'ClientSwitched' ? event.data : event.type === 'ClientLeft' ? event.data.totals : null
    if (damage !== null) this.#look(streamId, revision, `the viewer measured`, damage)
  }

  takeStream(streamId: string, revision: number, event: EventIn<'stream'>): void {
    switch (event.type) {
      case 'StreamOpened':
        // Another run may number other pictures alike only if its clock was set; its hashes are its own.
        this.#hashes.delete(streamId)
        return
      case 'ViewersMeasured':
        return this.#look(streamId, revision, `viewers at ${event.data.edge} measured`, event.data)
      case 'BufferStitched':
      case 'BufferSynchronized':
        return this.#compare(streamId, revision, event.data.server, event.data.result.hashes)
      default:
        return
    }
  }

  /** Nothing more comes of this stream. */
  forget(streamId: string): void {
    this.#hashes.delete(streamId)
  }

  #look(streamId: string, revision: number, who: string, { gaps, duplicates, hashMismatches }: Damage): void {
    if (gaps + duplicates + hashMismatches === 0) return
    const message = `${who} ${gaps} gap(s), ${duplicates} duplicate(s), ${hashMismatches} damaged segment(s)`
    this.#tell({ check: 'playback', streamId, revision, message })
  }

  #compare(streamId: string, revision: number, server: string, hashes: ReadonlyArray<SegmentHashes>): void {
    const known = this.#hashes.get(streamId) ?? new Map<number, SegmentHashes>()
    this.#hashes.set(streamId, known)
    for (const each of hashes) {
      const before = known.get(each.number)
      if (before !== undefined && differ(before, each)) {
        const message = `segment ${each.number} has other bytes at ${server} than were reported before`
        this.#tell({ check: 'playback', streamId, revision, message })
        return
      }
      known.set(each.number, each)
    }
    for (const number of known.keys()) {
      if (known.size <= rememberedMax) break
      known.delete(number)
    }
  }
}

/** In a track that both have. */
const differ = (before: SegmentHashes, now: SegmentHashes): boolean =>
  before.video !== now.video ||
  before.audio !== now.audio ||
  now.others.some(({ track, sha256 }) =>
    before.others.some((other) => other.track === track && other.sha256 !== sha256),
  )
