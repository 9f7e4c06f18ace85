/** Rows to learn from. */
export interface TrainingSet {
  /** Names of the columns; a model takes its vectors in this order. */
  readonly features: ReadonlyArray<string>
  readonly rows: number
  /** Row after row; NaN: not known. */
  readonly values: Float32Array
  /** 1: an incident starts within the horizon. */
  readonly labels: Uint8Array
  /** How much each row counts; labels nobody could verify count less. */
  readonly weights: Float32Array
}

/** The rows whose numbers are given. */
export const rowsOf = (set: TrainingSet, chosen: ArrayLike<number>): TrainingSet => {
  const width = set.features.length
  const values = new Float32Array(chosen.length * width)
  const labels = new Uint8Array(chosen.length)
  const weights = new Float32Array(chosen.length)
  for (let index = 0; index < chosen.length; index += 1) {
    const row = chosen[index] ?? 0
    values.set(set.values.subarray(row * width, (row + 1) * width), index * width)
    labels[index] = set.labels[row] ?? 0
    weights[index] = set.weights[row] ?? 0
  }
  return { features: set.features, rows: chosen.length, values, labels, weights }
}
