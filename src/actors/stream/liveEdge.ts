import type { EventIn } from '../../events/index.js'
import type { StreamState } from './state.js'

/** Further off than any report is late: the clock was set, or the feed began anew. */
const mistakenMs = 10_000

type Seen = Pick<StreamState, 'opened' | 'edge'>

const segmentMs = (state: Seen): number | null => (state.opened === null ? null : state.opened.format.segmentTicks / 90)

/** Where the live edge should be by now, by the least delayed sighting; null when there was none. */
export function liveEdgeAt(state: Seen, now: number): number | null {
  const ms = segmentMs(state)
  if (state.edge === null || ms === null) return null
  return state.edge.number + Math.max(0, Math.floor((now - state.edge.at) / ms))
}

/** Keeps a sighting that shows the edge further on than the one before lets expect, or that proves it mistaken. */
export function edgeAfter(state: Seen, event: EventIn<'stream'>): StreamState['edge'] {
  const number = sightingIn(event)
  if (number === null) return state.edge
  const ms = segmentMs(state)
  if (ms === null) return state.edge
  const at = event.metadata.occurredAt
  const expected = liveEdgeAt(state, at)
  if (expected !== null && number < expected && (expected - number) * ms < mistakenMs) return state.edge
  return { number, at }
}

/** The newest number that a report proves to exist. */
function sightingIn(event: EventIn<'stream'>): number | null {
  switch (event.type) {
    case 'StandbyActivated':
      return event.data.liveNumber
    case 'BufferStitched':
      return Math.max(event.data.liveNumber, event.data.primaryLiveNumber ?? 0)
    case 'CutoverReached':
      return event.data.number
    case 'BufferSynchronized': {
      const { verified, copied, last } = event.data.result
      return verified + copied > 0 ? last : null
    }
    default:
      return null
  }
}
