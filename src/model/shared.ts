import type { ServerPolicy } from '../events/catalogue/server.js'
import type { HealthSample, PathQuality } from '../events/catalogue/health.js'
import { assess, type Assessment } from './assess.js'
import type { Weights } from './groups.js'
import { featuresOf, type Features } from './features.js'
import { bandOf } from './score.js'
import { observe, type FeatureWindow } from './window.js'

// What-if runs each fact through the rules under many policies, one after the other. Nearly all of their time goes into
// windows and features, which do not depend on a threshold: the newest results are kept. Both functions stay pure; only the
// time that they take depends on who asked before.

let observed: {
  readonly before: FeatureWindow
  readonly sample: HealthSample
  readonly path: PathQuality
  readonly window: FeatureWindow
} | null = null

interface Assessed {
  readonly weights: Weights
  readonly horizonMs: number
  readonly assessment: Assessment
}

/** Alternatives with weights or horizons of their own, at most; more are assessed each time. */
const assessedMax = 16
let assessedWindow: FeatureWindow | null = null
let assessed: Assessed[] = []

/** `observe`, with the newest result remembered. */
export function observeShared(before: FeatureWindow, sample: HealthSample, path: PathQuality): FeatureWindow {
  if (observed?.before === before && observed.sample === sample && observed.path === path) return observed.window
  const window = observe(before, sample, path)
  observed = { before, sample, path, window }
  return window
}

/** `assess`, with the results for the newest window remembered; the band follows from the threshold. */
export function assessShared(
  window: FeatureWindow,
  weights: Weights,
  policy: Pick<ServerPolicy, 'threshold' | 'horizonMs'>,
): Assessment {
  const { horizonMs, threshold } = policy
  if (window === assessedWindow) {
    const known = assessed.find((each) => each.weights === weights && each.horizonMs === horizonMs)
    if (known !== undefined) return { ...known.assessment, band: bandOf(known.assessment.score, threshold) }
  } else {
    assessedWindow = window
    assessed = []
  }
  const assessment = assess(window, weights, policy)
  if (assessed.length < assessedMax) assessed.push({ weights, horizonMs, assessment })
  return assessment
}

let derivedWindow: FeatureWindow | null = null
let derived: Features[] = []

/** `featuresOf`, with the results for the newest window remembered, one for each horizon. */
export function featuresShared(window: FeatureWindow, horizonMs: number): Features {
  if (window !== derivedWindow) {
    derivedWindow = window
    derived = []
  }
  const known = derived.find((features) => features.horizonMs === horizonMs)
  if (known !== undefined) return known
  const features = featuresOf(window, horizonMs)
  if (derived.length < assessedMax) derived.push(features)
  return features
}
