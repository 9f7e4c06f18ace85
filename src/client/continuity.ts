import type { FragmentSpan } from './fragment.js'

export interface TimedSpan extends Pick<FragmentSpan, 'startTicks' | 'endTicks'> {
  readonly timescale: number
}

/** What was played, judged by the media itself and not by what the client believes to have asked for. */
export interface Continuity {
  readonly segments: number
  /** Numbers that are missing, plus holes in the decode time between numbers that follow each other. */
  readonly gaps: number
  /** Numbers played again, plus overlaps in the decode time. */
  readonly duplicates: number
  readonly last: { readonly number: number; readonly video: TimedSpan; readonly audio: TimedSpan } | null
}

export const nothingPlayed: Continuity = { segments: 0, gaps: 0, duplicates: 0, last: null }

/** Less than a tenth of an audio frame: rounding of frame times to ticks at 23.976 fps and the like. */
const toleranceS = 0.001

const seam = (before: TimedSpan, after: TimedSpan): 'hole' | 'overlap' | 'smooth' => {
  // Seconds since 1970 as a double still resolve a quarter of a microsecond.
  const differenceS = after.startTicks / after.timescale - before.endTicks / before.timescale
  return differenceS > toleranceS ? 'hole' : differenceS < -toleranceS ? 'overlap' : 'smooth'
}

/** One more segment was played. */
export const played = (state: Continuity, number: number, video: TimedSpan, audio: TimedSpan): Continuity => {
  const { last } = state
  const next = { ...state, segments: state.segments + 1, last: { number, video, audio } }
  if (last === null) return next
  if (number <= last.number) return { ...next, duplicates: state.duplicates + 1 }
  if (number > last.number + 1) return { ...next, gaps: state.gaps + number - last.number - 1 }
  const seams = [seam(last.video, video), seam(last.audio, audio)]
  return {
    ...next,
    gaps: state.gaps + (seams.includes('hole') ? 1 : 0),
    duplicates: state.duplicates + (seams.includes('overlap') ? 1 : 0),
  }
}
