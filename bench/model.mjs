#!/usr/bin/env node
// Training time of the histogram forest, and the time of one assessment with the shipped model. One thread.
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import {
  decodeModel,
  growForest,
  forestDefaults,
  riskOf,
  seededRandom,
  sumOfTrees,
} from '../dist/model/learners/index.js'
import {
  emptyFleet,
  featureNamesFor,
  newObserver,
  observe,
  serverMetrics,
  writeVector,
} from '../dist/model/telemetry/index.js'

const [rows, width, trees] = [100_000, 43, 50]

/** Rows with a rare class that follows from a few of the columns, with noise. */
export function madeUpRows(seed, count = rows) {
  const random = seededRandom(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const values = new Float32Array(count * width)
  const labels = new Uint8Array(count)
  for (let row = 0; row < count; row += 1) {
    const at = row * width
    for (let column = 0; column < width; column += 1) values[at + column] = normal()
    const x = values.subarray(at, at + width)
    const logit = -4 + 1.2 * x[0] + x[1] * x[2] + (x[3] > 1 ? 1.5 : 0) + 0.6 * Math.abs(x[4])
    labels[row] = random() < 1 / (1 + Math.exp(-logit)) ? 1 : 0
  }
  const features = Array.from({ length: width }, (_, column) => `x${column}`)
  return { features, rows: count, values, labels, weights: new Float32Array(count).fill(1) }
}

export function areaUnderCurve(scores, labels) {
  const order = Array.from(scores.keys()).sort((a, b) => scores[a] - scores[b])
  let ranks = 0
  let positives = 0
  order.forEach((row, rank) => {
    if (labels[row] === 1) {
      ranks += rank + 1
      positives += 1
    }
  })
  return (ranks - (positives * (positives + 1)) / 2) / positives / (labels.length - positives)
}

export function trainingTime() {
  const set = madeUpRows(1)
  const began = performance.now()
  const { trees: grown } = growForest(set, { ...forestDefaults, trees })
  const seconds = (performance.now() - began) / 1_000
  const test = madeUpRows(2, 20_000)
  const scores = Float64Array.from({ length: test.rows }, (_, row) =>
    sumOfTrees(grown, test.values.subarray(row * width, (row + 1) * width)),
  )
  return { seconds, auc: areaUnderCurve(scores, test.labels) }
}

function assessmentTimes(count = 50_000) {
  const decoded = decodeModel(readFileSync(fileURLToPath(new URL('../models/prior.bin', import.meta.url))))
  if (decoded._tag === 'Left') throw new Error(decoded.left.message)
  const model = decoded.right
  const observer = newObserver(serverMetrics, 300_000, true)
  const vector = new Float64Array(featureNamesFor(serverMetrics, true).length)
  const random = seededRandom(3)
  const times = new Float64Array(count)
  for (let sample = 0; sample < count; sample += 1) {
    const values = [0.3, 0.4, 20, 0.1, 3, 4].map((value) => value * (0.9 + 0.2 * random()))
    const began = performance.now()
    const report = observe(observer, sample * 1_000, values)
    writeVector(observer, report, emptyFleet, vector)
    riskOf(model, vector)
    times[sample] = (performance.now() - began) * 1_000
  }
  const sorted = times.subarray(1_000).sort()
  return { p50: sorted[Math.floor(sorted.length * 0.5)], p99: sorted[Math.floor(sorted.length * 0.99)] }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const cpu = process.cpuUsage()
  const { seconds, auc } = trainingTime()
  const used = process.cpuUsage(cpu)
  console.log(
    `training ${rows} x ${width}, ${trees} trees: ${seconds.toFixed(1)} s (${((used.user + used.system) / 1e6).toFixed(1)} s of processor time with making the rows), AUC ${auc.toFixed(3)}`,
  )
  const { p50, p99 } = assessmentTimes()
  console.log(`one assessment (features and risk): p50 ${p50.toFixed(1)} us, p99 ${p99.toFixed(1)} us`)
}
