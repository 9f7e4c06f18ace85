import { thresholdFor } from '../../model/index.js'
import type { Draft } from '../decider.js'
import type { ServerState } from './state.js'

/** Smaller moves are not worth an event, and none follows another at once. */
const pointsMin = 2
const pauseMs = 60_000

/** Moves the threshold to where the false-alarm budget wants it; every move is recorded with its reason. */
export function reviewThreshold(draft: Draft<'server', ServerState>): void {
  const { now, state } = draft
  if (state.adjustedAt !== null && now - state.adjustedAt < pauseMs) return
  const { policy, scores, fleet, window } = state
  const newest = window.entries.at(-1)
  const oldest = window.entries[0]
  const expected = newest === undefined || oldest === undefined ? 0 : newest.seq - oldest.seq + 1
  const { threshold, reason } = thresholdFor({
    base: policy.threshold,
    budget: policy.falseAlarmBudget,
    scores,
    gaps: expected > 0 ? 1 - window.entries.length / expected : 0,
    streams: newest?.streams ?? 0,
    viewers: newest?.viewers ?? 0,
    fleet,
  })
  if (Math.abs(threshold - state.threshold) < pointsMin) return
  draft.emit({ type: 'ThresholdAdjusted', data: { from: state.threshold, to: threshold, reason } })
}
