/** Metric groups that the stability score is made of. */
export const groupNames = [
  'cpu',
  'memory',
  'eventLoop',
  'encoder',
  'latency',
  'loss',
  'jitter',
  'disk',
  'forecast',
  'clients',
  'history',
] as const
export type GroupName = (typeof groupNames)[number]

/** Weight of each metric group; they sum to 1. Names that are not groups are ignored, missing ones weigh nothing. */
export type Weights = Readonly<Record<string, number>>

/** Health of each group, 0 (worst) to 1 (best); null when nothing of it was measured. */
export type GroupHealth = Readonly<Record<GroupName, number | null>>

/**
 * Weights set by hand. The forecast weighs so much that one metric on its way to its limit takes the score below 60
 * together with its own group; a bad level alone, without a trend, does not.
 */
export const handWeights: Readonly<Record<GroupName, number>> = {
  forecast: 0.4,
  cpu: 0.12,
  memory: 0.12,
  eventLoop: 0.12,
  encoder: 0.11,
  loss: 0.05,
  latency: 0.03,
  disk: 0.03,
  jitter: 0.02,
  clients: 0,
  history: 0,
}

/** Weights to start with before a model has been learned from: those set by hand, with what viewers and the past say. */
export const startWeights: Readonly<Record<GroupName, number>> = {
  forecast: 0.4,
  memory: 0.12,
  cpu: 0.1,
  eventLoop: 0.1,
  encoder: 0.1,
  loss: 0.05,
  latency: 0.03,
  clients: 0.03,
  history: 0.03,
  disk: 0.02,
  jitter: 0.02,
}
