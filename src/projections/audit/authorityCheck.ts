import type { EventIn } from '../../events/index.js'
import type { Tell } from './finding.js'

interface Seen {
  epochIssued: number
  reign: { readonly epoch: number; readonly cutover: number } | null
  announced: { readonly epoch: number; readonly cutover: number } | null
}

/** Invariant 1: one authoritative epoch for each segment number; epochs only rise, and K only rises. */
export class AuthorityCheck {
  readonly #streams = new Map<string, Seen>()
  readonly #tell: Tell

  constructor(tell: Tell) {
    this.#tell = tell
  }

  take(streamId: string, revision: number, event: EventIn<'stream'>): void {
    const seen = this.#seenOf(streamId)
    const wrong = (message: string): void => this.#tell({ check: 'authority', streamId, revision, message })
    const issue = (epoch: number): void => {
      if (epoch <= seen.epochIssued) wrong(`epoch ${epoch} was given out after epoch ${seen.epochIssued}`)
      seen.epochIssued = Math.max(seen.epochIssued, epoch)
    }
    const reign = (epoch: number, cutover: number): void => {
      const before = seen.reign
      if (before !== null && (epoch <= before.epoch || cutover <= before.cutover)) {
        wrong(`epoch ${epoch} from ${cutover} on follows epoch ${before.epoch} from ${before.cutover} on`)
      }
      seen.reign = { epoch, cutover }
    }
    switch (event.type) {
      case 'PlacementDecided':
        issue(event.data.epoch)
        return reign(event.data.epoch, event.data.cutover)
      case 'RouteAdopted': {
        const { epoch, cutover } = event.data
        if (epoch < seen.epochIssued) wrong(`epoch ${epoch} was adopted after epoch ${seen.epochIssued}`)
        seen.epochIssued = Math.max(seen.epochIssued, epoch)
        seen.announced = null
        if (seen.reign === null || epoch > seen.reign.epoch) return reign(epoch, cutover)
        return
      }
      case 'CutoverChosen': {
        const { epoch, cutover } = event.data
        issue(epoch)
        if (seen.reign !== null && cutover <= seen.reign.cutover)
          wrong(`K fell from ${seen.reign.cutover} to ${cutover}`)
        seen.announced = { epoch, cutover }
        return
      }
      case 'CutoverRevoked': {
        const { epoch, cutover, stayEpoch } = event.data
        if (seen.announced?.epoch !== epoch) wrong(`epoch ${epoch} was revoked, which was not announced`)
        seen.announced = null
        issue(stayEpoch)
        return reign(stayEpoch, cutover)
      }
      case 'StreamSwitched': {
        const { epoch, cutover } = event.data
        if (seen.announced?.epoch !== epoch || seen.announced.cutover !== cutover) {
          wrong(`switched to epoch ${epoch} at ${cutover}, which is not what was announced`)
        }
        seen.announced = null
        return reign(epoch, cutover)
      }
      default:
        return
    }
  }

  /** Nothing more comes of this stream. */
  forget(streamId: string): void {
    this.#streams.delete(streamId)
  }

  #seenOf(streamId: string): Seen {
    const known = this.#streams.get(streamId)
    if (known !== undefined) return known
    const seen: Seen = { epochIssued: 0, reign: null, announced: null }
    this.#streams.set(streamId, seen)
    return seen
  }
}
