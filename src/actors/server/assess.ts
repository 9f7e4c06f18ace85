import {
  assessShared,
  assessStability,
  circumstances,
  featuresShared,
  follow,
  followV2,
  isWarm,
  modelOf,
  outlookOf,
  type FeatureWindow,
  type Outlook,
} from '../../model/index.js'
import type { Assess } from './evolve.js'
import type { ServerState } from './state.js'

/** Version 1: weights and risk set by hand, looking at the newest samples alone. */
export const assessByHand: Assess = (state, window) => ({
  assessment: assessShared(window, state.weights, state.policy),
  remembered: {},
})

const assessFollowing =
  (following: typeof follow): Assess =>
  (state, window, now) => {
    const viewers = window.entries.at(-1)?.viewers ?? 0
    const remembered = followed(following, state, window)
    const assessment = assessStability({
      features: featuresShared(window, state.policy.horizonMs),
      besides: circumstances(state, viewers, now),
      weights: state.weights,
      threshold: state.threshold,
      outlook: remembered.outlook,
    })
    return { assessment, remembered }
  }

/**
 * Since version 2: with what the learned model says, what viewers report and how often the server has failed. The model
 * speaks when it has seen a whole horizon of this boot; until then the forecasts of limits stand alone. What it cannot
 * learn from leaves what it said last.
 * @throws ModelMissing
 */
export const assessByModel = assessFollowing(follow)

/** Version 2 took a jittering interval, and readings of any size, as they were told. @throws ModelMissing */
export const assessByModelV2 = assessFollowing(followV2)

function followed(
  following: typeof follow,
  { artifact, telemetry, history, outlook }: ServerState,
  window: FeatureWindow,
): { readonly telemetry: ServerState['telemetry']; readonly outlook: Outlook | null } {
  const newest = window.entries.at(-1)
  if (artifact === null || newest === undefined) return { telemetry, outlook: null }
  const model = modelOf(artifact)
  const { memory, vector } = following(telemetry, newest, history)
  if (vector === null) return { telemetry: memory, outlook }
  return { telemetry: memory, outlook: isWarm(memory) ? outlookOf(model, vector) : null }
}
