import * as t from 'io-ts'
import { finite, whole } from '../catalogue/shapes.js'
import { conformanceOf, propertiesOf, type Conforms } from '../conformance.js'

/**
 * What a stored text looks like that a codec accepts: which properties in which order. Learned from a value that conforms,
 * because writers put properties in an order of their own. Every text that has the shape conforms to the codec; texts
 * that do not may conform all the same.
 */
export type Shape = ScalarShape | ObjectShape | ListShape

/** A text, number, truth value or null. What is not named is not accepted. */
export interface ScalarShape {
  readonly type: 'scalar'
  readonly text?: 'any' | Conforms
  readonly number?: 'any' | 'whole' | Conforms
  readonly flag?: 'any' | Conforms
  readonly nothing?: true
}

export interface ObjectShape {
  readonly type: 'object'
  readonly properties: ReadonlyArray<{ readonly name: string; readonly shape: Shape }>
  readonly orNull: boolean
  /** What else the value must be; null: nothing. */
  readonly test: Conforms | null
}

export interface ListShape {
  readonly type: 'list'
  /** Null: it is empty. */
  readonly item: Shape | null
  readonly orNull: boolean
  readonly test: Conforms | null
}

/**
 * The shape of texts like that of `example`, which conforms to the codec; null where none is known. Without an example
 * (undefined), properties stand in the order in which the codec names them.
 */
export function shapeOf(codec: unknown, example: unknown): Shape | null {
  if (codec instanceof t.ReadonlyType) return shapeOf(codec.type, example)
  const scalar = scalarOf(codec)
  if (scalar !== null) {
    return typeof example === 'object' && example !== null ? withTest(shapeLike(example), conformanceOf(codec)) : scalar
  }
  if (codec instanceof t.UnionType) return unionShape(codec.types as ReadonlyArray<t.Mixed>, example)
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType) return listShape(codec.type, example)
  if (codec instanceof t.DictionaryType) return dictionaryShape(codec.domain, codec.codomain, example)
  if (codec instanceof t.IntersectionType) return objectShape(jointProperties(codec.types), example)
  return objectShape(propertiesOf(codec instanceof t.ExactType ? codec.type : codec), example)
}

function objectShape(declared: ReturnType<typeof propertiesOf>, example: unknown): ObjectShape | null {
  if (declared === null) return null
  const codecs = new Map(declared.map((property) => [property.name, property]))
  const present = isObject(example)
    ? Object.keys(example)
    : declared.filter(({ optional }) => !optional).map(({ name }) => name)
  const properties = present.map((name) => {
    const shape = codecs.has(name)
      ? shapeOf(codecs.get(name)?.codec, isObject(example) ? example[name] : undefined)
      : null
    return shape === null ? null : { name, shape }
  })
  return objectOf(properties)
}

function listShape(item: t.Mixed, example: unknown): ListShape | null {
  const [first] = Array.isArray(example) ? (example as ReadonlyArray<unknown>) : []
  const shape = shapeOf(item, first)
  return shape === null ? null : { type: 'list', item: shape, orNull: false, test: null }
}

function dictionaryShape(domain: t.Mixed, item: t.Mixed, example: unknown): ObjectShape | null {
  if (!isObject(example)) return null
  const accepts = conformanceOf(domain)
  return objectOf(
    Object.entries(example).map(([name, value]) => {
      const shape = accepts(name) ? shapeOf(item, value) : null
      return shape === null ? null : { name, shape }
    }),
  )
}

function unionShape(members: ReadonlyArray<t.Mixed>, example: unknown): Shape | null {
  const structured = members.filter((member) => !(member instanceof t.NullType))
  const chosen =
    example === undefined || example === null
      ? structured.length === 1
        ? structured[0]
        : undefined
      : structured.find((member) => conformanceOf(member)(example))
  const shape = chosen === undefined ? null : shapeOf(chosen, example ?? undefined)
  if (shape === null || structured.length === members.length || shape.type === 'scalar') return shape
  return { ...shape, orNull: true }
}

/** Properties of several records that a value must fit at once; null where one of them forbids those of the others. */
function jointProperties(codecs: ReadonlyArray<unknown>): ReturnType<typeof propertiesOf> {
  const lists = codecs.map((codec) => (codec instanceof t.ExactType ? null : propertiesOf(codec)))
  const all = lists.flatMap((list) => list ?? [])
  const isClear = lists.every((list) => list !== null) && new Set(all.map(({ name }) => name)).size === all.length
  return isClear ? all : null
}

/** The shape of a value of which nothing is known but itself. */
function shapeLike(example: unknown): Shape | null {
  if (Array.isArray(example)) {
    if (example.length === 0) return { type: 'list', item: null, orNull: false, test: null }
    const item = shapeLike(example[0])
    return item === null ? null : { type: 'list', item, orNull: false, test: null }
  }
  if (!isObject(example)) return { type: 'scalar', text: 'any', number: 'any', flag: 'any', nothing: true }
  return objectOf(
    Object.entries(example).map(([name, value]) => {
      const shape = shapeLike(value)
      return shape === null ? null : { name, shape }
    }),
  )
}

const withTest = (shape: Shape | null, test: Conforms): Shape | null =>
  shape === null || shape.type === 'scalar' ? null : { ...shape, test }

function objectOf(properties: ReadonlyArray<ObjectShape['properties'][number] | null>): ObjectShape | null {
  const known = properties.filter((property) => property !== null)
  // A property of this name is not one like others in a literal.
  if (known.length < properties.length || known.some(({ name }) => name === '__proto__')) return null
  return { type: 'object', properties: known, orNull: false, test: null }
}

// -------------------------------------------------------------------------------------
// scalars
// -------------------------------------------------------------------------------------

/** Null for codecs of objects and lists. */
function scalarOf(codec: unknown): ScalarShape | null {
  const type = 'scalar'
  if (codec === finite || codec instanceof t.NumberType) return { type, number: 'any' }
  if (codec === whole) return { type, number: 'whole' }
  if (codec instanceof t.StringType) return { type, text: 'any' }
  if (codec instanceof t.BooleanType) return { type, flag: 'any' }
  if (codec instanceof t.NullType) return { type, nothing: true }
  if (codec instanceof t.UnionType) return scalarUnion((codec.types as ReadonlyArray<t.Mixed>).map(scalarOf))
  if (!(codec instanceof t.Type) || isStructured(codec)) return null
  const test = conformanceOf(codec)
  return { type, text: test, number: test, flag: test, ...(test(null) ? { nothing: true } : {}) }
}

const structures = [
  ...[t.InterfaceType, t.PartialType, t.ExactType, t.IntersectionType, t.DictionaryType],
  ...[t.ArrayType, t.ReadonlyArrayType, t.ReadonlyType, t.RefinementType],
]

const isStructured = (codec: unknown): boolean => structures.some((structure) => codec instanceof structure)

function scalarUnion(members: ReadonlyArray<ScalarShape | null>): ScalarShape | null {
  let joint: ScalarShape = { type: 'scalar' }
  for (const member of members) {
    if (member === null) return null
    const text = either(joint.text, member.text)
    const flag = either(joint.flag, member.flag)
    const number = eitherNumber(joint.number, member.number)
    joint = {
      type: 'scalar',
      ...(text === undefined ? {} : { text }),
      ...(number === undefined ? {} : { number }),
      ...(flag === undefined ? {} : { flag }),
      ...(joint.nothing === true || member.nothing === true ? { nothing: true as const } : {}),
    }
  }
  return joint
}

type Accepted = 'any' | Conforms | undefined

function either(one: Accepted, other: Accepted): Accepted {
  if (one === undefined || other === undefined) return one ?? other
  return one === 'any' || other === 'any' ? 'any' : (value) => one(value) || other(value)
}

function eitherNumber(one: ScalarShape['number'], other: ScalarShape['number']): ScalarShape['number'] {
  if (one === undefined || other === undefined || one === other) return one ?? other
  return either(one === 'whole' ? whole.is : one, other === 'whole' ? whole.is : other)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
