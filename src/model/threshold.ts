import { roundTo } from './round.js'

/** How often each score was ordinary of late: weights of bins of five points from 0 on, older ones fading. */
export type ScoreDistribution = ReadonlyArray<number>

const binPoints = 5
const bins = 20
/** Samples after which an old one counts half. */
const halfLifeSamples = 2_000
const fading = 0.5 ** (1 / halfLifeSamples)

export const noScores: ScoreDistribution = []

/** Takes a score in that no alarm stood behind. */
export function withScore(scores: ScoreDistribution, score: number): ScoreDistribution {
  const bin = Math.min(bins - 1, Math.max(0, Math.floor(score / binPoints)))
  const faded: number[] = []
  for (let index = 0; index < bins; index += 1) faded.push((scores[index] ?? 0) * fading + (index === bin ? 1 : 0))
  return faded
}

/** Samples that the distribution stands for, at most some 2,900. */
const weightOf = (scores: ScoreDistribution): number => scores.reduce((sum, weight) => sum + weight, 0)

/** The score below which a share of the ordinary ones lies, to the lower end of its bin. */
function lowScore(scores: ScoreDistribution, share: number): number {
  const aim = share * weightOf(scores)
  let sum = 0
  for (let bin = 0; bin < bins; bin += 1) {
    sum += scores[bin] ?? 0
    if (sum > aim) return bin * binPoints
  }
  return 100
}

export interface ThresholdInputs {
  /** The policy's threshold, and the false alarms a server-day that are allowed. */
  readonly base: number
  readonly budget: number
  readonly scores: ScoreDistribution
  /** Share of the newest samples that are missing, 0..1. */
  readonly gaps: number
  /** Streams that the server carries, and their viewers. */
  readonly streams: number
  readonly viewers: number
  readonly fleet: {
    readonly servers: number
    readonly troubled: number
    readonly medianScore: number
    readonly freeStreams: number
    readonly unneeded: number
    readonly serverDays: number
  } | null
}

/** How far the threshold may move below and above the policy's, as shares of it: a policy of 0 stays at 0. */
export const thresholdBounds = { below: 1 / 3, above: 1 / 6 } as const
/** A server-day count as which the budget itself is taken before anything was seen. */
const priorDays = 2
const pointsPerDoubling = 6
const rareShare = 0.01
const marginPoints = 5
const samplesMin = 300
const behindFleet = 10
const thinPoints = 5
const fullPoints = 5
const viewersPoints = 5

/**
 * The threshold that holds the false-alarm budget, with the reason for it in words. It is moved
 * - by what alarms turned out to be: six points for each doubling of unneeded ones against the budget;
 * - below what this server's ordinary scores hardly ever reach, five points deep;
 * - below the middle of the fleet, ten points deep: when all worsen there is nowhere better to go;
 * - up where samples are missing, because the next one may come too late, and with the viewers at stake;
 * - down where the others have no room for the streams;
 * and held within bounds around the policy's.
 */
export function thresholdFor(inputs: ThresholdInputs): { readonly threshold: number; readonly reason: string } {
  const { base, budget, scores, gaps, streams, viewers, fleet } = inputs
  const moves: (readonly [points: number, why: string])[] = []
  if (fleet !== null && budget > 0) {
    const rate = (fleet.unneeded + budget * priorDays) / (fleet.serverDays + priorDays)
    const points = Math.max(-12, Math.min(5, -pointsPerDoubling * Math.log2(rate / budget)))
    moves.push([points, `${fleet.unneeded} unneeded alarms in ${roundTo(fleet.serverDays, 2)} server-days`])
  }
  moves.push([thinPoints * gaps, `${Math.round(100 * gaps)} % of the samples are missing`])
  if (streams > 0) {
    moves.push([Math.min(viewersPoints, Math.log10(1 + viewers)), `${viewers} viewers at stake`])
    if (fleet !== null && fleet.freeStreams < streams) moves.push([-fullPoints, 'no room for its streams elsewhere'])
  }
  let threshold = moves.reduce((sum, [points]) => sum + points, base)
  let reasons = moves.filter(([points]) => Math.abs(points) >= 1).map(([points, why]) => `${why} (${signed(points)})`)
  const cap = (limit: number, why: string): void => {
    if (threshold <= limit) return
    threshold = limit
    reasons = [why]
  }
  if (weightOf(scores) >= samplesMin)
    cap(lowScore(scores, rareShare) - marginPoints, 'its ordinary scores reach as low')
  if (fleet !== null && fleet.servers > 1) cap(fleet.medianScore - behindFleet, 'the whole fleet is as bad')
  const bounded = Math.min(base * (1 + thresholdBounds.above), Math.max(base * (1 - thresholdBounds.below), threshold))
  return { threshold: Math.round(bounded), reason: reasons.join('; ') || 'nothing speaks against the policy' }
}

const signed = (points: number): string => `${points > 0 ? '+' : ''}${roundTo(points, 1)}`
