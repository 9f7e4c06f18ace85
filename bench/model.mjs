#!/usr/bin/env node
// Training time of the histogram forest, and the time of one assessment with the shipped model. One thread.
//   node bench/model.mjs [--sklearn /usr/bin/python3]    with scikit-learn's forest on the same rows (Debian: python3-sklearn)
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
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

export function trainingTime(set, test) {
  const cpu = process.cpuUsage()
  const { trees: grown } = growForest(set, { ...forestDefaults, trees })
  const { user, system } = process.cpuUsage(cpu)
  const scores = Float64Array.from({ length: test.rows }, (_, row) =>
    sumOfTrees(grown, test.values.subarray(row * width, (row + 1) * width)),
  )
  return { seconds: (user + system) / 1e6, auc: areaUnderCurve(scores, test.labels) }
}

/** The same rows given to scikit-learn. */
function sklearnForests(python, sets) {
  const folder = mkdtempSync(join(tmpdir(), 'segue-bench-model-'))
  try {
    for (const [name, { values, labels }] of Object.entries(sets)) {
      writeFileSync(join(folder, `${name}.f32`), values)
      writeFileSync(join(folder, `${name}.u8`), labels)
    }
    const script = fileURLToPath(new URL('sklearnForest.py', import.meta.url))
    const { status, stdout, stderr, error } = spawnSync(python, [script, folder, String(trees)], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${python} cannot run scikit-learn: ${error?.message ?? stderr}`)
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
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
  const { values: options } = parseArgs({ options: { sklearn: { type: 'string' } } })
  const sets = { train: madeUpRows(1), test: madeUpRows(2, 20_000) }
  const tell = (what, { seconds, auc }) =>
    console.log(`${what}: ${seconds.toFixed(1)} s of processor time, AUC ${auc.toFixed(3)}`)
  tell(`training ${rows} x ${width}, ${trees} trees`, trainingTime(sets.train, sets.test))
  if (options.sklearn !== undefined) {
    for (const forest of sklearnForests(options.sklearn, sets))
      tell(`scikit-learn ${forest.version}, ${forest.settings}`, forest)
    tell('the first again', trainingTime(sets.train, sets.test))
  }
  const { p50, p99 } = assessmentTimes()
  console.log(`one assessment (features and risk): p50 ${p50.toFixed(1)} us, p99 ${p99.toFixed(1)} us`)
}
