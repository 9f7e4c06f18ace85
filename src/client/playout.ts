/**
 * The playing position, computed: nothing is decoded here. While playing, position = now - lag. Media time in
 * milliseconds; `now` on the viewer's clock.
 */
export interface Playout {
  readonly phase: 'starting' | 'playing' | 'stalled'
  /** Start and end of what lies contiguous before the player. */
  readonly firstMs: number
  readonly endMs: number
  readonly lagMs: number
  /** While starting: since when nothing has come. */
  readonly stalledSinceMs: number
  readonly stalls: number
  readonly stallMs: number
  readonly bufferMsMax: number
  readonly lagMsSum: number
  readonly lagSamples: number
}

export interface PlayoutTerms {
  /** now - position as it should be: latency plus the error of the viewer's clock. */
  readonly lagMsWanted: number
  /** Begin once this much lies ahead. */
  readonly prerollMs: number
}

/** Rounding of time stamps is no stall. */
const stallMsMin = 0.5

export const beginAt = (firstMs: number, nowMs = 0): Playout => ({
  phase: 'starting',
  firstMs,
  endMs: firstMs,
  lagMs: 0,
  stalledSinceMs: nowMs,
  stalls: 0,
  stallMs: 0,
  bufferMsMax: 0,
  lagMsSum: 0,
  lagSamples: 0,
})

/** Where the picture is. */
export const positionMs = (playout: Playout, nowMs: number): number =>
  playout.phase === 'starting' ? playout.firstMs : Math.min(playout.endMs, nowMs - playout.lagMs)

/** When the position reaches the end of what is there; null while it does not move. */
export const runsOutAtMs = (playout: Playout): number | null =>
  playout.phase === 'playing' ? playout.endMs + playout.lagMs : null

export const bufferMs = (playout: Playout, nowMs: number): number => playout.endMs - positionMs(playout, nowMs)

/** Lets time pass: turns into a stall at the very moment when nothing was left. */
export const pass = (playout: Playout, nowMs: number): Playout => {
  const outAtMs = runsOutAtMs(playout)
  return outAtMs !== null && nowMs > outAtMs + stallMsMin
    ? { ...playout, phase: 'stalled', stalledSinceMs: outAtMs, stalls: playout.stalls + 1 }
    : playout
}

/** The machine slept: nobody saw the picture stand still, and everything is later by it. */
export const slept = (playout: Playout, sleptMs: number): Playout => ({
  ...playout,
  lagMs: playout.lagMs + sleptMs,
  stalledSinceMs: playout.stalledSinceMs + sleptMs,
})

/** Begins again elsewhere, with what was measured so far. */
export const beginAgainAt = (playout: Playout, firstMs: number, nowMs: number): Playout => {
  const stallMs = playout.phase === 'stalled' ? nowMs - playout.stalledSinceMs : 0
  return {
    ...playout,
    phase: 'starting',
    firstMs,
    endMs: firstMs,
    stalledSinceMs: nowMs,
    stallMs: playout.stallMs + stallMs,
  }
}

const begin = (playout: Playout, nowMs: number, terms: PlayoutTerms): Playout => {
  if (playout.endMs - playout.firstMs < terms.prerollMs) return playout
  // Too little would be left at the wanted position: begin at the beginning, with more latency.
  const late = nowMs - terms.lagMsWanted > playout.endMs - terms.prerollMs / 2
  return { ...playout, phase: 'playing', lagMs: late ? nowMs - playout.firstMs : terms.lagMsWanted }
}

/** Jumping over a hole brings the position nearer to live, but never nearer than wanted; the rest is waited for. */
const leap = (playout: Playout, startMs: number, lagMsWanted: number): Playout => {
  const holeMs = startMs - playout.endMs
  if (holeMs <= stallMsMin || playout.phase === 'starting') return playout
  const lagMs = Math.max(Math.min(lagMsWanted, playout.lagMs), playout.lagMs - holeMs)
  return { ...playout, lagMs, stallMs: playout.stallMs + Math.max(0, lagMs - (playout.lagMs - holeMs)) }
}

/** Segment [startMs, endMs) has come, the next in order. After a stall everything is later by it. */
export const take = (before: Playout, startMs: number, endMs: number, nowMs: number, terms: PlayoutTerms): Playout => {
  const passed = pass(before, nowMs)
  const stallMs = passed.phase === 'stalled' ? nowMs - passed.stalledSinceMs : 0
  const resumed: Playout =
    passed.phase === 'stalled'
      ? { ...passed, phase: 'playing', lagMs: passed.lagMs + stallMs, stallMs: passed.stallMs + stallMs }
      : passed
  const extended = { ...leap(resumed, startMs, terms.lagMsWanted), endMs }
  const playing = extended.phase === 'starting' ? begin(extended, nowMs, terms) : extended
  if (playing.phase === 'starting') return { ...playing, stalledSinceMs: nowMs }
  return {
    ...playing,
    bufferMsMax: Math.max(playing.bufferMsMax, bufferMs(playing, nowMs)),
    lagMsSum: playing.lagMsSum + playing.lagMs,
    lagSamples: playing.lagSamples + 1,
  }
}
