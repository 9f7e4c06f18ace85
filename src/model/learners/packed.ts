import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import {
  finite,
  GroupWeights,
  list,
  nullable,
  oneOf,
  record,
  sinceLater,
  whole,
} from '../../events/catalogue/shapes.js'
import { describeErrors } from '../../events/report.js'
import type { LearnedModel } from './learnedModel.js'
import type { BlendScorer, ResidualScorer, Scorer, TreeScorer } from './scorer.js'
import { faultOfTrees } from './trees/faults.js'

const kinds = {
  f64: Float64Array,
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  i16: Int16Array,
} as const
export type NumberKind = keyof typeof kinds
interface NumbersByKind {
  readonly f64: Float64Array
  readonly f32: Float32Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly i16: Int16Array
}
export type Numbers = NumbersByKind[NumberKind]

/** Where an array of a packed model is: bytes from the first array on, and numbers. */
const ArrayEntry = record({ kind: t.string, offset: whole, length: whole })
export type ArrayEntry = t.TypeOf<typeof ArrayEntry>

/** A model whose arrays are elsewhere. */
const PackedModel = record({
  id: t.string,
  learner: t.string,
  metrics: nullable(list(t.string)),
  features: list(t.string),
  scorer: t.unknown,
  calibration: record({ slope: finite, intercept: finite }),
  threshold: nullable(finite),
  // Artifacts of before did not tell the groups.
  groups: sinceLater(nullable(GroupWeights), null),
  about: t.string,
})
const PackedScorer = t.type({ kind: oneOf('forest', 'boosting', 'residual', 'blend') })
const PackedTrees = record({
  kind: oneOf('forest', 'boosting'),
  bias: finite,
  columns: ArrayEntry,
  importance: ArrayEntry,
  /** Roots, features, thresholds, children and values. */
  trees: t.tuple([ArrayEntry, ArrayEntry, ArrayEntry, ArrayEntry, ArrayEntry]),
})
const PackedResidual = record({ bias: finite, columns: ArrayEntry, weights: ArrayEntry })
const PackedBlend = record({ parts: list(record({ weight: finite, scorer: t.unknown })) })

/** Says what is wrong, and where. */
type Read<A> = E.Either<string, A>

/** Blends of blends go no deeper: a model that builds on the shipped one has two levels. */
const levelsMax = 16

/** Everything that a place in a packed model is read with. */
interface Place {
  readonly path: string
  /** The arrays of the model. */
  readonly body: Uint8Array
  readonly features: number
  readonly level: number
}

/** The model behind a header, whose arrays are in `body`. Whatever is read can judge any vector in finite time. */
export const unpackModel = (header: unknown, body: Uint8Array): Read<LearnedModel> =>
  pipe(
    decoded(PackedModel, header, ''),
    E.chain((model) =>
      pipe(
        scorerIn(model.scorer, { path: 'scorer', body, features: model.features.length, level: 1 }),
        E.map((scorer) => ({ ...model, scorer })),
      ),
    ),
  )

const decoded = <A>(codec: t.Decoder<unknown, A>, value: unknown, path: string): Read<A> =>
  pipe(
    codec.decode(value),
    E.mapLeft((errors) => (path === '' ? describeErrors(errors, 1) : `${path}: ${describeErrors(errors, 1)}`)),
  )

function scorerIn(packed: unknown, place: Place): Read<Scorer> {
  if (place.level > levelsMax) return E.left(`its scorers are nested deeper than ${levelsMax} levels`)
  return pipe(
    decoded(PackedScorer, packed, place.path),
    E.chain(({ kind }): Read<Scorer> => {
      if (kind === 'blend') return blendIn(packed, place)
      return kind === 'residual' ? residualIn(packed, place) : treesIn(packed, place)
    }),
  )
}

const blendIn = (packed: unknown, place: Place): Read<BlendScorer> =>
  pipe(
    decoded(PackedBlend, packed, place.path),
    E.chain(({ parts }) =>
      E.traverseArray(({ index, weight, scorer }: { index: number; weight: number; scorer: unknown }) =>
        pipe(
          scorerIn(scorer, { ...place, path: `${place.path}.parts.${index}.scorer`, level: place.level + 1 }),
          E.map((part) => ({ weight, scorer: part })),
        ),
      )(parts.map((part, index) => ({ ...part, index }))),
    ),
    E.map((parts) => ({ kind: 'blend', parts })),
  )

const residualIn = (packed: unknown, place: Place): Read<ResidualScorer> =>
  pipe(
    decoded(PackedResidual, packed, place.path),
    E.chain(({ bias, columns, weights }) =>
      pipe(
        E.Do,
        E.apS('columns', columnsIn(columns, place)),
        E.bind('weights', (own) => perColumn(weights, own.columns, { ...place, path: `${place.path}.weights` })),
        E.map((arrays) => ({ kind: 'residual', bias, ...arrays })),
      ),
    ),
  )

const treesIn = (packed: unknown, place: Place): Read<TreeScorer> =>
  pipe(
    decoded(PackedTrees, packed, place.path),
    E.chain(({ kind, bias, columns, importance, trees: [roots, feature, threshold, child, value] }) => {
      const inTrees = (index: number): Place => ({ ...place, path: `${place.path}.trees.${index}` })
      return pipe(
        E.Do,
        E.apS('columns', columnsIn(columns, place)),
        E.bind('importance', (own) =>
          perColumn(importance, own.columns, { ...place, path: `${place.path}.importance` }),
        ),
        E.bind('trees', (own) =>
          pipe(
            E.Do,
            E.apS('roots', arrayIn('u32', roots, inTrees(0))),
            E.apS('feature', arrayIn('i16', feature, inTrees(1))),
            E.apS('threshold', arrayIn('f32', threshold, inTrees(2))),
            E.apS('child', arrayIn('u32', child, inTrees(3))),
            E.apS('value', arrayIn('f32', value, inTrees(4))),
            E.chain((trees) => {
              const fault = faultOfTrees(trees, own.columns.length)
              return fault === null ? E.right(trees) : E.left(`${place.path}.trees: ${fault}`)
            }),
          ),
        ),
        E.map((arrays) => ({ kind, bias, ...arrays })),
      )
    }),
  )

const columnsIn = (entry: ArrayEntry, place: Place): Read<Int32Array> => {
  const path = `${place.path}.columns`
  return pipe(
    arrayIn('i32', entry, { ...place, path }),
    E.chain((columns) => {
      const strange = columns.find((column) => column < 0 || column >= place.features)
      return strange === undefined
        ? E.right(columns)
        : E.left(`${path}: ${strange} is the number of no feature, of ${place.features}`)
    }),
  )
}

const perColumn = (entry: ArrayEntry, { length }: Int32Array, place: Place): Read<Float64Array> =>
  entry.length === length
    ? arrayIn('f64', entry, place)
    : E.left(`${place.path}: ${entry.length} numbers for the ${length} columns`)

/** A copy: arrays must begin on a multiple of their size, and the bytes may be part of a file. */
function arrayIn<K extends NumberKind>(
  kind: K,
  { kind: told, offset, length }: ArrayEntry,
  { path, body }: Place,
): Read<NumbersByKind[K]> {
  if (told !== kind) return E.left(`${path}: an array of ${kind} belongs there, found ${told}`)
  if (offset % 8 !== 0) return E.left(`${path}: it begins at byte ${offset}, which is no multiple of 8`)
  const Kind = kinds[kind]
  const end = offset + length * Kind.BYTES_PER_ELEMENT
  if (end > body.length) return E.left(`${path}: it ends at byte ${end}, behind the ${body.length} that there are`)
  const numbers: Numbers = new Kind(new Uint8Array(body.subarray(offset, end)).buffer)
  const strange = numbers.findIndex((number) => !Number.isFinite(number))
  if (strange !== -1) return E.left(`${path}: number ${strange} is ${numbers[strange]}, which is not finite`)
  return E.right(numbers as NumbersByKind[K])
}
