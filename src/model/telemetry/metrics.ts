/** What a column of telemetry holds. */
export interface Metric {
  readonly name: string
  /** A counter only rises until it is reset; what counts is its rate a second. */
  readonly kind: 'gauge' | 'counter'
  /** Where the resource ends, in the metric's own unit; null: it has no end. */
  readonly limit: number | null
}

/** The metrics of a media server, in the order in which the shipped model takes them. Shares end at 1. */
export const serverMetrics: ReadonlyArray<Metric> = [
  { name: 'cpu', kind: 'gauge', limit: 1 },
  { name: 'memory', kind: 'gauge', limit: 1 },
  { name: 'rttMs', kind: 'gauge', limit: null },
  { name: 'lossPct', kind: 'gauge', limit: null },
  { name: 'jitterMs', kind: 'gauge', limit: null },
  { name: 'diskLatencyMs', kind: 'gauge', limit: null },
]

/** Metrics for columns; names that nobody knows become gauges without a limit. */
export const metricsNamed = (names: ReadonlyArray<string>): ReadonlyArray<Metric> =>
  names.map((name) => serverMetrics.find((metric) => metric.name === name) ?? { name, kind: 'gauge', limit: null })

/** Whether these columns are those of the shipped model, in any order. */
export const areServerMetrics = (names: ReadonlyArray<string>): boolean =>
  names.length === serverMetrics.length && serverMetrics.every(({ name }) => names.includes(name))
