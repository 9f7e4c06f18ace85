import {
  operatingPoints,
  prepare,
  scoresOf,
  thresholdWithin,
  traceOf,
  trainingSetOf,
  type Stretch,
} from '../../model/evaluation/index.js'
import {
  calibrate,
  calibrated,
  largeMeasurementBoosting,
  scoreOfVector,
  type LearnedModel,
  type TrainingSet,
} from '../../model/learners/index.js'
import { groupShares } from '../../model/outlook/index.js'
import { fleetDefaults } from './server.js'
import { simulatedFleet } from './series.js'

/** How much the shipped model is trained on. Small numbers make a quick model for tests. */
export interface PriorScale {
  readonly fleets: number
  readonly servers: number
  readonly hours: number
}

export const priorScale: PriorScale = { fleets: 24, servers: 10, hours: 24 }

const perPositive = 5
/** Of the rows without an incident ahead: those of look-alikes and of ramps that recover. */
const loudShare = 0.6
/** Fleets that its probabilities, and the risk at which it raises alarms, are set on. */
const heldFleets = 3
/** False alarms a server-day. */
const budget = 1
/** Fleets of like servers, of ordinary ones, and of servers that differ much: the model must not know one scale by heart. */
const varieties = [0.5, 1, 1.5] as const

const stretchesOf = (seed: number, { servers, hours }: PriorScale): ReadonlyArray<Stretch> => {
  const options = { ...fleetDefaults, calibrationHours: 4, testHours: hours, variety: varieties[seed % 3] ?? 1 }
  const fleet = simulatedFleet({ family: `sim${seed}`, seed, servers, options }).map(({ series }) => series)
  return prepare(fleet, false).map((of) => ({ of, from: 0, to: of.rows }))
}

/** Simulated fleets that the shipped model was not trained on; its probabilities and its threshold were set on them. */
export const heldStretches = (scale: PriorScale = priorScale): ReadonlyArray<Stretch> =>
  Array.from({ length: heldFleets }, (_, index) => stretchesOf(scale.fleets + 1 + index, scale)).flat()

const joined = (sets: ReadonlyArray<TrainingSet>): TrainingSet => {
  const rows = sets.reduce((sum, set) => sum + set.rows, 0)
  const features = sets[0]?.features ?? []
  const values = new Float32Array(rows * features.length)
  const labels = new Uint8Array(rows)
  const weights = new Float32Array(rows)
  let at = 0
  for (const set of sets) {
    values.set(set.values, at * features.length)
    labels.set(set.labels, at)
    weights.set(set.weights, at)
    at += set.rows
  }
  return { features, rows, values, labels, weights }
}

/**
 * Trains the model that is shipped, on simulated fleets alone: what a new installation starts with. The same scale gives
 * the same model, to the byte. Its probabilities are set on fleets that it was not trained on.
 */
export const trainPrior = (
  scale: PriorScale = priorScale,
  progress: (line: string) => void = () => undefined,
): LearnedModel => {
  const sets: TrainingSet[] = []
  for (let fleet = 1; fleet <= scale.fleets; fleet += 1) {
    sets.push(trainingSetOf(stretchesOf(fleet, scale), fleet, perPositive, loudShare))
    progress(`fleet ${fleet} of ${scale.fleets}`)
  }
  const set = joined(sets)
  progress(`training on ${set.rows} rows`)
  const scorer = largeMeasurementBoosting.train(set, 1)
  const held = heldStretches(scale)
  const rows = trainingSetOf(held, 1, 50)
  const width = rows.features.length
  const scores = Float64Array.from({ length: rows.rows }, (_, row) =>
    scoreOfVector(scorer, rows.values.subarray(row * width, (row + 1) * width)),
  )
  const calibration = calibrate(scores, rows.labels, rows.weights)
  const traces = held.map((stretch) =>
    traceOf(
      stretch,
      scoresOf(scorer, stretch).map((score) => calibrated(calibration, score)),
    ),
  )
  const model: LearnedModel = {
    id: 'prior-3',
    learner: largeMeasurementBoosting.name,
    metrics: null,
    features: set.features,
    scorer,
    calibration,
    threshold: thresholdWithin(operatingPoints(traces), budget),
    groups: null,
    about: `${scale.fleets * scale.servers} simulated servers, ${scale.hours} h each`,
  }
  return { ...model, groups: groupShares(model, rows) }
}
