export { assess, type Assessment } from './assess.js'
export { featuresOf, type Features } from './features.js'
export type { ForecastMetric, MetricForecast } from './forecast.js'
export { groupNames, handWeights, startWeights, type GroupHealth, type GroupName, type Weights } from './groups.js'
export { maintenanceLeadMs, withMaintenance } from './maintenance.js'
export { handRiskModel, type RiskAssessment, type RiskModel } from './risk.js'
export { bandOf, scoreOf, spreadWeights, stableMargin, type Score } from './score.js'
export { emptyWindow, observe, plausible, windowSamplesMax, type FeatureWindow, type WindowEntry } from './window.js'
export { assessShared, featuresShared, observeShared } from './shared.js'
export { circumstances, troubleReportsMax, type TroubleReport } from './circumstances.js'
export { assessStability, lossesOf, type Loss, type StabilityInputs } from './stability.js'
export { noHistory, withIncident, type History } from './telemetry/index.js'
export {
  artifactOf,
  follow,
  followV2,
  isWarm,
  modelOf,
  ModelMissing,
  openArtifact,
  outlookOf,
  shelve,
  smoothed,
  weightsFrom,
  type Outlook,
  type ShelfError,
  type ShelvedModel,
  type TelemetryMemory,
} from './outlook/index.js'
export { noScores, thresholdBounds, thresholdFor, withScore, type ScoreDistribution } from './threshold.js'
export { driftLimit, populationStabilityIndex, riskBinCount, riskBinOf, riskBins } from './drift.js'
