/** Upper bounds of the bins that risks are counted in; the last bin has none. Fine where most risks are. */
export const riskBins: ReadonlyArray<number> = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]

export const riskBinCount = riskBins.length + 1

/** The bin that a risk falls into. */
export function riskBinOf(risk: number): number {
  const bin = riskBins.findIndex((bound) => risk < bound)
  return bin === -1 ? riskBins.length : bin
}

/** A shift of this size is a major one. Siddiqi, Credit Risk Scorecards (2006), chapter 8: 0.1 minor, 0.25 major. */
export const driftLimit = 0.25

/** A bin that is empty in one of both would make the index infinite. */
const shareMin = 0.001

/**
 * Population stability index of two distributions over the same bins: sum of (q - p) ln(q / p), which is 0 for equal
 * ones and symmetric. Bins without a sample count as a share of 0.001.
 */
export function populationStabilityIndex(reference: ReadonlyArray<number>, recent: ReadonlyArray<number>): number {
  let index = 0
  for (let bin = 0; bin < Math.max(reference.length, recent.length); bin += 1) {
    const p = Math.max(shareMin, reference[bin] ?? 0)
    const q = Math.max(shareMin, recent[bin] ?? 0)
    index += (q - p) * Math.log(q / p)
  }
  return index
}
