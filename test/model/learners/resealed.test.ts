import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { decodeModel, encodeModel, riskOf, type LearnedModel, type Scorer } from '../../../src/model/learners/index.js'
import { treeBuilder, treesOf, addLeaf } from '../../../src/model/learners/trees/tree.js'

/** One split on the first column, and a leaf on each side of it. */
const stump = (kind: 'forest' | 'boosting'): Scorer => {
  const builder = treeBuilder()
  builder.roots.push(addLeaf(builder, 0.5))
  builder.child[0] = addLeaf(builder, 0.25)
  addLeaf(builder, 0.75)
  builder.feature[0] = 0
  builder.threshold[0] = 3
  return {
    ...{ kind, trees: treesOf(builder), bias: 0.5 },
    ...{ columns: Int32Array.of(1, 2), importance: Float64Array.of(1, 0) },
  }
}

const model: LearnedModel = {
  ...{ id: 'm', learner: 'champion', metrics: null, features: ['a', 'b', 'c'], about: 'made up' },
  ...{ calibration: { slope: 0.9, intercept: -1 }, threshold: 0.4, groups: { disk: 1 } },
  scorer: {
    kind: 'blend',
    parts: [
      { weight: 0.5, scorer: stump('boosting') },
      { weight: 0.3, scorer: stump('forest') },
      {
        weight: 0.2,
        scorer: { kind: 'residual', columns: Int32Array.of(0, 2), weights: Float64Array.of(0.3, 0.1), bias: -7 },
      },
    ],
  },
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const whole = encodeModel(model)
const numbers = new DataView(whole.buffer)
const headerBytes = numbers.getUint32(8, true)
const bodyAt = Math.ceil((16 + headerBytes) / 8) * 8
const headerText = new TextDecoder().decode(whole.subarray(16, 16 + headerBytes))
const body = whole.slice(bodyAt, whole.length - 32)

/** The artifact of this header and these arrays, with the right lengths and the right hash. */
function sealed(header: string, arrays: Uint8Array = body): Uint8Array {
  const text = new TextEncoder().encode(header)
  const at = Math.ceil((16 + text.length) / 8) * 8
  const bytes = new Uint8Array(at + arrays.length + 32)
  bytes.set(whole.subarray(0, 8))
  const view = new DataView(bytes.buffer)
  view.setUint32(8, text.length, true)
  view.setUint32(12, arrays.length, true)
  bytes.set(text, 16)
  bytes.set(arrays, at)
  bytes.set(createHash('sha256').update(bytes.subarray(0, -32)).digest(), bytes.length - 32)
  return bytes
}

/** The header with another value at a path; undefined: with nothing there. */
function changed(path: ReadonlyArray<string | number>, value: Json | undefined): string {
  const at = (place: Json, [key, ...rest]: ReadonlyArray<string | number>): Json | undefined => {
    if (key === undefined) return value
    const entries = Object.entries(place as Record<string, Json>).map(([name, inner]) => [
      name,
      name === String(key) ? at(inner, rest) : inner,
    ])
    if (Array.isArray(place)) return entries.map(([, inner]) => inner as Json)
    return Object.fromEntries(entries) as Json
  }
  return JSON.stringify(at(JSON.parse(headerText) as Json, path))
}

const first = ['scorer', 'parts', 0, 'scorer']
const entryAt = (path: ReadonlyArray<string | number>) =>
  path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], JSON.parse(headerText)) as {
    readonly kind: string
    readonly offset: number
    readonly length: number
  }

/** The arrays with another number at a place of one of the arrays of the first trees. */
function written(array: number, index: number, value: number): Uint8Array {
  const arrays = body.slice()
  const view = new DataView(arrays.buffer)
  const { kind, offset } = entryAt([...first, 'trees', array])
  if (kind === 'f32') view.setFloat32(offset + 4 * index, value, true)
  else if (kind === 'i16') view.setInt16(offset + 2 * index, value, true)
  else view.setUint32(offset + 4 * index, value, true)
  return arrays
}
const [roots, feature, threshold, child] = [0, 1, 2, 3] as const

const deep = (levels: number): string =>
  changed(['scorer'], null).replace(
    '"scorer":null',
    `"scorer":${'{"kind":"blend","parts":[{"weight":1,"scorer":'.repeat(levels)}{"kind":"blend","parts":[]}${'}]}'.repeat(levels)}`,
  )

const messageOf = (bytes: Uint8Array): string => {
  const decoded = decodeModel(bytes)
  if (E.isRight(decoded)) return 'none'
  expect(decoded.left._tag).toBe('Damaged')
  return decoded.left.message
}

describe('an artifact whose checksum is right', () => {
  it('is read when nothing is wrong with it', () => {
    expect(sealed(headerText)).toEqual(whole)
    expect(decodeModel(whole)).toEqual(E.right(model))
    // As an older version wrote it.
    expect(decodeModel(sealed(changed(['groups'], undefined)))).toEqual(E.right({ ...model, groups: null }))
  })

  it.each<readonly [string, Uint8Array, RegExp]>([
    ['a header that is no JSON', sealed('{"id":'), /its header is no JSON/],
    ['a header that is no object', sealed('null'), /expected/],
    ['no calibration', sealed(changed(['calibration'], null)), /calibration.*found null/],
    [
      'a slope that was infinite',
      sealed(changed(['calibration', 'slope'], null)),
      /calibration.slope: must be a finite/,
    ],
    ['no features', sealed(changed(['features'], undefined)), /features: .*found nothing/],
    ['no scorer', sealed(changed(['scorer'], undefined)), /scorer: /],
    ['an unknown scorer', sealed(changed([...first, 'kind'], 'oracle')), /scorer.parts.0.scorer: kind: .*"oracle"/],
    ['no trees', sealed(changed([...first, 'trees'], undefined)), /scorer.parts.0.scorer: trees: .*found nothing/],
    ['a tree too few', sealed(changed([...first, 'trees'], [])), /scorer.parts.0.scorer: trees.0: .*found nothing/],
    ['an unknown kind of array', sealed(changed([...first, 'columns', 'kind'], 'f16')), /columns: .*i32.*f16/],
    ['another kind of array', sealed(changed([...first, 'columns', 'kind'], 'u32')), /columns: .*i32.*u32/],
    ['an array behind the end', sealed(changed([...first, 'columns', 'offset'], 1e6)), /columns: .*behind/],
    ['an array between two numbers', sealed(changed([...first, 'columns', 'offset'], 3)), /columns: .*multiple of 8/],
    [
      'importance of other columns',
      sealed(changed([...first, 'importance', 'length'], 1)),
      /importance: 1 numbers.* 2/,
    ],
    ['arrays of other lengths', sealed(changed([...first, 'trees', 3, 'length'], 2)), /trees: .*as many/],
    ['a column that no vector has', sealed(changed(['features'], ['a', 'b'])), /columns: 2 .*feature/],
    ['a root behind the nodes', sealed(headerText, written(roots, 0, 3)), /trees: root 0/],
    ['a child that is its own', sealed(headerText, written(child, 0, 0)), /trees: node 0/],
    ['a child behind the nodes', sealed(headerText, written(child, 0, 2)), /trees: node 0/],
    ['a child further up', sealed(headerText, written(feature, 2, 0)), /trees: node 2/],
    ['a split by no column', sealed(headerText, written(feature, 0, 2)), /trees: node 0 .*column 2/],
    ['a split at no number', sealed(headerText, written(threshold, 0, Number.NaN)), /trees.*finite/],
    ['a name of 50,000 levels', sealed(headerText.replace('"m"', '['.repeat(50_000) + ']'.repeat(50_000))), /id: /],
    ['blends in blends', sealed(deep(50_000)), /nested/],
  ])('is damaged by %s, and says so', (_, bytes, message) => {
    expect(messageOf(bytes)).toMatch(message)
    expect(messageOf(bytes)).toMatch(/^the model is damaged, though its checksum is right: /)
  })

  const answersInTime = (bytes: Uint8Array): void => {
    const decoded = decodeModel(bytes)
    if (E.isLeft(decoded)) expect(decoded.left._tag).toBe('Damaged')
    else expect(typeof riskOf(decoded.right, [1, 2, 4])).toBe('number')
  }

  const places: ReadonlyArray<ReadonlyArray<string | number>> = ((): (string | number)[][] => {
    const found: (string | number)[][] = []
    const walk = (at: Json, path: (string | number)[]): void => {
      if (path.length > 0) found.push(path)
      if (typeof at !== 'object' || at === null) return
      for (const [key, inner] of Object.entries(at)) walk(inner, [...path, Array.isArray(at) ? Number(key) : key])
    }
    walk(JSON.parse(headerText) as Json, [])
    return found
  })()

  it('is refused or judges, whatever stands at any place of its header', () => {
    const value = fc.oneof(fc.constant(undefined), fc.integer({ min: -3, max: 400 }), fc.jsonValue())
    fc.assert(
      fc.property(fc.constantFrom(...places), value, (path, put) =>
        answersInTime(sealed(changed(path, put as Json | undefined))),
      ),
      { numRuns: 2_000 },
    )
  })

  it('is refused or judges, whatever its arrays hold', () => {
    const at = fc.integer({ min: 0, max: body.length - 1 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(at, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
        (writes) => {
          const arrays = body.slice()
          for (const [index, byte] of writes) arrays[index] = byte
          answersInTime(sealed(headerText, arrays))
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
