import type { TrainingSet } from '../trainingSet.js'

/** Bin 0 holds what is not known, so that it always goes left. */
export const binsMax = 64

export interface Binned {
  readonly rows: number
  readonly width: number
  /** Feature after feature: the bins of all rows. */
  readonly bins: Uint8Array
  /** Of each feature: the largest value of each bin from bin 1 on; the last bin is open. */
  readonly edges: ReadonlyArray<Float32Array>
}

const sampleMax = 20_000

/** Sorts values into at most 63 bins of about equal count; edges are values that occur, so that a threshold is exact. */
export const binned = (set: TrainingSet): Binned => {
  const { rows, values } = set
  const width = set.features.length
  const bins = new Uint8Array(rows * width)
  const edges: Float32Array[] = []
  const every = Math.max(1, Math.floor(rows / sampleMax))
  const column = new Float32Array(Math.ceil(rows / every))
  for (let feature = 0; feature < width; feature += 1) {
    let filled = 0
    for (let row = 0; row < rows; row += every) {
      const value = values[row * width + feature] ?? Number.NaN
      if (Number.isFinite(value)) column[filled++] = value
    }
    const own = edgesOf(column.subarray(0, filled).sort())
    edges.push(own)
    const offset = feature * rows
    for (let row = 0; row < rows; row += 1) {
      bins[offset + row] = binOf(own, values[row * width + feature] ?? Number.NaN)
    }
  }
  return { rows, width, bins, edges }
}

const edgesOf = (sorted: Float32Array): Float32Array => {
  const chosen: number[] = []
  const last = sorted[sorted.length - 1]
  for (let step = 1; step < binsMax - 1; step += 1) {
    const value = sorted[Math.floor((step * sorted.length) / (binsMax - 1))]
    if (value !== undefined && value !== last && value !== chosen.at(-1)) chosen.push(value)
  }
  return Float32Array.from(chosen)
}

const binOf = (edges: Float32Array, value: number): number => {
  if (value !== value) return 0
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (value <= (edges[middle] ?? 0)) high = middle
    else low = middle + 1
  }
  return low + 1
}
