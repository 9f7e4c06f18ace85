import * as t from 'io-ts'

/** Whether a value is exactly what its codec would decode it to. */
export type Conforms = (value: unknown) => boolean

/**
 * Compiles a codec to a test that is true only where `codec.decode(value)` would give the value back unchanged: it fits,
 * and has no property that decoding would drop. io-ts builds a context for every property it visits and a copy of every
 * exact object, which costs twenty times as much; nearly every stored event conforms, and what does not is decoded (and
 * explained) by io-ts itself.
 */
export function conformanceOf(codec: unknown): Conforms {
  if (codec instanceof t.ReadonlyType || codec instanceof t.RefinementType) {
    const inner = conformanceOf(codec.type)
    return codec instanceof t.ReadonlyType ? inner : (value) => inner(value) && codec.is(value)
  }
  if (codec instanceof t.ExactType) return objectConformance(propertiesOf(codec.type), 'nothing else')
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) {
    return objectConformance(propertiesOf(codec), 'anything else')
  }
  if (codec instanceof t.IntersectionType) return all(codec.types.map(conformanceOf))
  if (codec instanceof t.UnionType) return some(codec.types.map(conformanceOf))
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType) {
    return arrayConformance(conformanceOf(codec.type))
  }
  if (codec instanceof t.DictionaryType) return dictionaryConformance(codec.domain, conformanceOf(codec.codomain))
  // A codec that writes values as they are reads them as they are: decode(encode(a)) = a is a law of io-ts.
  if (codec instanceof t.Type && codec.encode === t.identity) return (value) => codec.is(value)
  return () => false
}

/** `codec.decode` that makes a copy only of what does not conform. */
export function decoderOf<A>(codec: t.Type<A, unknown>): (value: unknown) => t.Validation<A> {
  const conforms = conformanceOf(codec)
  return (value) => (conforms(value) ? t.success(value as A) : codec.decode(value))
}

/** A property that a codec names. */
export interface Property {
  readonly name: string
  readonly codec: unknown
  readonly conforms: Conforms
  readonly optional: boolean
}

/** The properties of a codec of objects; null for any other. */
export function propertiesOf(codec: unknown): ReadonlyArray<Property> | null {
  if (codec instanceof t.InterfaceType || codec instanceof t.PartialType) {
    return Object.entries(codec.props as t.Props).map(([name, inner]) => ({
      name,
      codec: inner,
      conforms: conformanceOf(inner),
      optional: codec instanceof t.PartialType,
    }))
  }
  return codec instanceof t.ReadonlyType ? propertiesOf(codec.type) : null
}

function objectConformance(
  properties: ReadonlyArray<Property> | null,
  besides: 'nothing else' | 'anything else',
): Conforms {
  if (properties === null) return () => false
  const isStrict = besides === 'nothing else'
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const object = value as Readonly<Record<string, unknown>>
    let found = 0
    for (const { name, conforms, optional } of properties) {
      const property = object[name]
      if (property === undefined) {
        // A property that is there but undefined cannot come out of JSON; io-ts decides.
        if (!optional || name in object) return false
        continue
      }
      if (!conforms(property)) return false
      found += 1
    }
    if (!isStrict) return true
    for (const _ in object) found -= 1
    return found === 0
  }
}

const all =
  (parts: ReadonlyArray<Conforms>): Conforms =>
  (value) =>
    parts.every((conforms) => conforms(value))

function some(parts: ReadonlyArray<Conforms>): Conforms {
  const [first, second, ...more] = parts
  // Nullable values are most of all unions.
  if (first !== undefined && second !== undefined && more.length === 0) return (value) => first(value) || second(value)
  return (value) => parts.some((conforms) => conforms(value))
}

function arrayConformance(item: Conforms): Conforms {
  return (value) => Array.isArray(value) && value.every((each) => item(each))
}

function dictionaryConformance(domain: t.Mixed, item: Conforms): Conforms {
  const name = conformanceOf(domain)
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(([key, each]) => name(key) && item(each))
}
