/** What is remembered of a server's incidents: plain data. */
export interface History {
  /** When incidents began, ms, oldest first. */
  readonly onsets: ReadonlyArray<number>
}

export const noHistory: History = { onsets: [] }

/** Enough for a week with several incidents a day. */
export const onsetsMax = 32
export const dayMs = 86_400_000
const daysBack = 7

/** Takes an incident in, however late it became known. */
export const withIncident = (history: History, onsetAt: number): History =>
  !Number.isFinite(onsetAt) || history.onsets.includes(onsetAt)
    ? history
    : { onsets: [...history.onsets, onsetAt].sort((a, b) => a - b).slice(-onsetsMax) }

/** What a server's own incidents say at a time. */
export interface HistorySummary {
  /** Horizons since the last onset; Infinity without one. */
  readonly since: number
  readonly perWeek: number
  /** How often, in the last week, an incident began at this time of the day, within a horizon ahead. Newer days count more. */
  readonly sameTimeOfDay: number
  /** Onsets, each fading with a horizon, and with four. */
  readonly justNow: number
  readonly ofLate: number
}

export const summaryOf = ({ onsets }: History, at: number, horizonMs: number): HistorySummary => {
  let perWeek = 0
  let sameTimeOfDay = 0
  let justNow = 0
  let ofLate = 0
  let last = -Infinity
  for (const onset of onsets) {
    const age = at - onset
    if (age < 0) continue
    last = Math.max(last, onset)
    perWeek += age < daysBack * dayMs ? 1 : 0
    justNow += Math.exp(-age / horizonMs)
    ofLate += Math.exp(-age / (4 * horizonMs))
    // The next return of this time of day; it counts when it falls within the horizon ahead.
    const days = Math.floor(age / dayMs) + 1
    if (days <= daysBack && days * dayMs - age <= horizonMs) sameTimeOfDay += 0.8 ** (days - 1)
  }
  return { since: (at - last) / horizonMs, perWeek, sameTimeOfDay, justNow, ofLate }
}
