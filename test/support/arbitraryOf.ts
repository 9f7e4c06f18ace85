import fc from 'fast-check'
import * as t from 'io-ts'

/** Values that a codec of the catalogue accepts. */
export function arbitraryOf(codec: unknown): fc.Arbitrary<unknown> {
  if (codec instanceof t.ReadonlyType || codec instanceof t.ExactType) return arbitraryOf(codec.type)
  if (codec instanceof t.InterfaceType) return fc.record(arbitraries(codec.props as t.Props))
  if (codec instanceof t.PartialType) return fc.record(arbitraries(codec.props as t.Props), { requiredKeys: [] })
  if (codec instanceof t.IntersectionType) {
    const parts = (codec.types as ReadonlyArray<t.Mixed>).map(arbitraryOf)
    return fc.tuple(...parts).map((values) => Object.assign({}, ...(values as object[])) as unknown)
  }
  if (codec instanceof t.UnionType) return fc.oneof(...(codec.types as ReadonlyArray<t.Mixed>).map(arbitraryOf))
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType) {
    return fc.array(arbitraryOf(codec.type), { maxLength: 3 })
  }
  if (codec instanceof t.DictionaryType) {
    return fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), arbitraryOf(codec.codomain), { maxKeys: 3 })
  }
  if (codec instanceof t.KeyofType) return fc.constantFrom(...Object.keys(codec.keys as object))
  if (codec instanceof t.LiteralType) return fc.constant(codec.value as unknown)
  if (codec instanceof t.Type) return fc.oneof(...scalars).filter((value) => codec.is(value))
  throw new Error('this kind of codec is not known here')
}

const arbitraries = (props: t.Props): Record<string, fc.Arbitrary<unknown>> =>
  Object.fromEntries(Object.entries(props).map(([name, codec]) => [name, arbitraryOf(codec)]))

const scalars: fc.Arbitrary<unknown>[] = [
  fc.constantFrom('a', 's01-c00001', 'http://10.0.0.1:7001', '', 'a text of some length'),
  fc.constantFrom('Grüße', 'with "quotes"', '\u0000', '\u2028', '🚀'),
  fc.nat(),
  fc.double({ noDefaultInfinity: true, noNaN: true }),
  fc.constantFrom(0, -0, 1, 0.1, 1e21, 1e-7, 1772323201117.1584, 123456789012345, 5e-324, 1.7976931348623157e308),
  fc.boolean(),
  fc.constantFrom(null, []),
]
