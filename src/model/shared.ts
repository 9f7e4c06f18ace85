import type { ServerPolicy } from '../events/catalogue/server.js'
import type { HealthSample, PathQuality } from '../events/catalogue/health.js'
import { assess, type Assessment } from './assess.js'
import type { Weights } from './groups.js'
import { bandOf } from './score.js'
import { observe, type FeatureWindow } from './window.js'

// What-if runs the same facts through the rules under many policies side by side. Nearly all of their time goes into
// windows and features, which do not depend on a threshold: the newest result for a window is kept with it. Both
// functions stay pure; only the time that they take depends on who asked before.

const next = new WeakMap<FeatureWindow, { readonly sample: HealthSample; readonly window: FeatureWindow }>()
const assessed = new WeakMap<
  FeatureWindow,
  {
    readonly weights: Weights
    readonly horizonMs: number
    readonly assessment: Assessment
  }
>()

/** `observe`, with the newest result of each window remembered. */
export function observeShared(window: FeatureWindow, sample: HealthSample, path: PathQuality): FeatureWindow {
  const known = next.get(window)
  if (known?.sample === sample) return known.window
  const result = observe(window, sample, path)
  next.set(window, { sample, window: result })
  return result
}

/** `assess`, with the newest result of each window remembered; the band follows from the threshold. */
export function assessShared(
  window: FeatureWindow,
  weights: Weights,
  policy: Pick<ServerPolicy, 'threshold' | 'horizonMs'>,
): Assessment {
  const known = assessed.get(window)
  if (known !== undefined && known.weights === weights && known.horizonMs === policy.horizonMs) {
    return {
      ...known.assessment,
      band: bandOf(known.assessment.score, policy.threshold),
    }
  }
  const assessment = assess(window, weights, policy)
  assessed.set(window, { weights, horizonMs: policy.horizonMs, assessment })
  return assessment
}
