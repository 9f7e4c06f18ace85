import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import {
  assessStability,
  emptyWindow,
  featuresShared,
  follow,
  groupNames,
  isWarm,
  lossesOf,
  modelOf,
  ModelMissing,
  noHistory,
  observe,
  openArtifact,
  outlookOf,
  shelve,
  smoothed,
  startWeights,
  weightsFrom,
  type TelemetryMemory,
} from '../../../src/model/index.js'
import { encodeModel } from '../../../src/model/learners/index.js'
import { goodPath, sampleOf } from '../support.js'

const prior = readFileSync('models/prior.bin')
const shelved = shelve(prior)
if (E.isLeft(shelved)) throw new Error(shelved.left.message)
const { artifact, model } = shelved.right

/** Samples of `seconds`, in which the disk becomes slower from second 900 on. */
function followed(seconds: number, throughJson = false) {
  let memory: TelemetryMemory | null = null
  let window = emptyWindow
  let vector = new Float64Array()
  for (let seq = 0; seq < seconds; seq += 1) {
    const diskLatencyMs = 2 + (seq % 7) / 10 + Math.max(0, seq - 900) * 0.5
    window = observe(window, sampleOf({ seq, diskLatencyMs, residentBytes: 80e6 + (seq % 11) * 1e5 }), goodPath)
    const newest = window.entries.at(-1)
    if (newest === undefined) throw new Error('no entry')
    const next = follow(memory, newest, noHistory)
    memory = throughJson ? (JSON.parse(JSON.stringify(next.memory)) as TelemetryMemory) : next.memory
    if (next.vector === null) throw new Error('a sample of no time')
    vector = next.vector.slice()
  }
  if (memory === null) throw new Error('nothing was followed')
  return { memory, vector, window }
}

describe('what a learned model says of a server', () => {
  it('is little while the server is well, and more when its disk gets slower and slower', () => {
    const calm = outlookOf(model, followed(880).vector)
    const worse = outlookOf(model, followed(1_200).vector)
    expect(calm.calm).toBe(1)
    expect(worse.risk).toBeGreaterThan(3 * calm.risk)
  })

  it('waits until a whole horizon was seen', () => {
    expect(isWarm(followed(300).memory)).toBe(false)
    expect(isWarm(followed(301).memory)).toBe(true)
  })

  it('remembers in plain data: a memory that went through JSON goes on alike', () => {
    expect([...followed(500, true).vector]).toEqual([...followed(500).vector])
  })

  it('says nothing of a sample of no time, and remembers what it had learned', () => {
    const { memory, window } = followed(320)
    const newest = window.entries.at(-1)
    if (newest === undefined) throw new Error('no entry')
    const next = follow(memory, { ...newest, seq: newest.seq + 1, intervalMs: 1e-5 }, noHistory)
    expect(next.vector).toBeNull()
    expect(next.memory.numbers).toEqual(memory.numbers)
  })

  it('takes its part off the score, in points of the groups that it finds fault with', () => {
    const { window } = followed(100)
    const outlook = {
      risk: 0.4,
      calm: 0.6,
      blame: [
        ['disk', 0.75],
        ['loss', 0.25],
      ] as const,
    }
    const inputs = {
      features: featuresShared(window, 20_000),
      besides: {},
      weights: startWeights,
      threshold: 60,
      outlook,
    }
    const { score, factors } = assessStability(inputs)
    expect(score).toBeCloseTo(60, 0)
    expect(factors.map(({ name }) => name)).toEqual(['disk', 'loss'])
    const points = [...lossesOf(inputs).values()].reduce((sum, loss) => sum + loss.points, 0)
    expect(100 - points).toBeCloseTo(score, 0)
  })
})

describe('weights of the score', () => {
  const sum = (weights: object): number => Object.values(weights).reduce((all: number, each: number) => all + each, 0)

  it('follow what the model found important, and none is forgotten', () => {
    const weights = weightsFrom({ disk: 0.9, loss: 0.1 })
    expect(sum(weights)).toBeCloseTo(1, 9)
    expect(weights.disk).toBeGreaterThan(3 * startWeights.disk)
    for (const name of groupNames) expect(weights[name]).toBeGreaterThanOrEqual(startWeights[name] / 2 - 1e-3)
  })

  it('move half way', () => {
    const next = smoothed(startWeights, weightsFrom({ disk: 1 }))
    expect(sum(next)).toBeCloseTo(1, 9)
    expect(next.disk).toBeCloseTo((startWeights.disk + weightsFrom({ disk: 1 }).disk) / 2, 3)
  })

  it('are the ones to start with when a model says nothing, or nonsense', () => {
    expect(weightsFrom(null)).toEqual(startWeights)
    expect(weightsFrom({ disk: Number.NaN, loss: -1 })).toEqual(startWeights)
  })
})

describe('models by their hash', () => {
  it('are found, and missed by name', () => {
    expect(modelOf(artifact)).toBe(model)
    expect(() => modelOf('0'.repeat(64))).toThrow(ModelMissing)
    expect(() => modelOf('0'.repeat(64))).toThrow(/0{64}\.bin, into the folder "models" beside the log/)
  })

  it.each<readonly [string, Uint8Array, RegExp]>([
    ['damaged', prior.map((byte, index) => (index === 20_000 ? byte ^ 1 : byte)), /checksum/],
    ['cut off', prior.subarray(0, 20_000), /cut or written to/],
    ['of another version', prior.map((byte, index) => (index === 4 ? 9 : byte)), /format 9.*train it again/],
    ['something else', new Uint8Array(100), /no model of Segue/],
    [
      'of other features',
      encodeModel({ ...model, features: ['temperature', ...model.features.slice(1)] }),
      /the feature temperature.*train it again/,
    ],
  ])('are refused when %s', (_what, bytes, message) => {
    const opened = openArtifact(bytes)
    expect(E.isLeft(opened) && opened.left.message).toMatch(message)
  })
})
