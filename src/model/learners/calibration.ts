/** Platt scaling: risk = 1 / (1 + exp(-(slope * logit + intercept))). Keeps the order of scores. */
export interface Calibration {
  readonly slope: number
  readonly intercept: number
}

export const noCalibration: Calibration = { slope: 1, intercept: 0 }

export const calibrated = ({ slope, intercept }: Calibration, logit: number): number =>
  1 / (1 + Math.exp(-(slope * logit + intercept)))

const iterations = 30
const slopeMin = 0.02

/**
 * Fits the two numbers to scores of rows that the model was not trained on (Platt 1999, with the Newton steps of Lin,
 * Lin & Weng 2007). Rising scores never mean falling risk: a slope that would turn the order round is held at a small
 * one.
 */
export const calibrate = (
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  weights: ArrayLike<number>,
): Calibration => {
  let positive = 1
  let negative = 1
  for (let row = 0; row < logits.length; row += 1) {
    if (labels[row] === 1) positive += weights[row] ?? 0
    else negative += weights[row] ?? 0
  }
  // Targets are drawn in a little, so that a perfect separation does not run away.
  const high = positive / (positive + 1)
  const low = 1 / (negative + 1)
  let slope = 1
  let intercept = Math.log(positive / negative)
  for (let step = 0; step < iterations; step += 1) {
    let gs = 0
    let gi = 0
    let hss = 1e-6
    let hsi = 0
    let hii = 1e-6
    for (let row = 0; row < logits.length; row += 1) {
      const x = logits[row] ?? 0
      const weight = weights[row] ?? 0
      const p = calibrated({ slope, intercept }, x)
      const off = weight * ((labels[row] === 1 ? high : low) - p)
      const curve = weight * p * (1 - p)
      gs += off * x
      gi += off
      hss += curve * x * x
      hsi += curve * x
      hii += curve
    }
    const determinant = hss * hii - hsi * hsi
    if (!(determinant > 1e-12)) break
    const ds = Math.max(-0.5, Math.min(0.5, (hii * gs - hsi * gi) / determinant))
    const di = Math.max(-2, Math.min(2, (hss * gi - hsi * gs) / determinant))
    slope = Math.max(slopeMin, slope + ds)
    intercept += di
    if (Math.abs(ds) + Math.abs(di) < 1e-6) break
  }
  return { slope, intercept }
}
