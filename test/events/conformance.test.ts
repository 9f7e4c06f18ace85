import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as t from 'io-ts'
import { conformanceOf, decoderOf } from '../../src/events/conformance.js'
import { finite, list, nullable, oneOf, record, whole } from '../../src/events/catalogue/shapes.js'

const shape = record({
  name: t.string,
  mode: oneOf('hot', 'warm'),
  count: whole,
  ratio: nullable(finite),
  parts: list(record({ at: finite, tag: t.union([t.string, t.boolean, t.null]) })),
  weights: t.readonly(t.record(t.string, finite)),
})
const fitting = {
  name: 'a',
  mode: 'hot',
  count: 2,
  ratio: null,
  parts: [{ at: 1, tag: true }],
  weights: { cpu: 0.5 },
}

describe('the conformance of a value to its codec', () => {
  const conforms = conformanceOf(shape)

  test('holds for a value that decodes to itself', () => {
    expect(conforms(fitting)).toBe(true)
  })

  test.each([
    ['a property is missing', { ...fitting, name: undefined }],
    ['a property would be dropped', { ...fitting, more: 1 }],
    ['a property deep inside would be dropped', { ...fitting, parts: [{ at: 1, tag: null, more: 1 }] }],
    ['a value is of another kind', { ...fitting, count: -1 }],
    ['a word is none of the choices', { ...fitting, mode: 'cold' }],
    ['a choice is the name of something every object has', { ...fitting, mode: 'toString' }],
    ['no branch of a union fits', { ...fitting, parts: [{ at: 1, tag: 3 }] }],
    ['a dictionary holds another kind', { ...fitting, weights: { cpu: 'much' } }],
    ['an array stands for an object', []],
    ['nothing is there', null],
  ])('does not hold when %s', (_, value) => {
    expect(conforms(value)).toBe(false)
  })

  test('whatever the value, it never holds where decoding would give something else', () => {
    // given values near the shape: each property the right one or anything that JSON carries
    const near = fc.record(
      Object.fromEntries(
        Object.entries(fitting).map(([key, value]) => [key, fc.oneof(fc.constant(value), fc.jsonValue())]),
      ),
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(near, (value) => {
        // when it conforms
        if (!conforms(value)) return
        // then decoding gives it back
        expect(shape.decode(value)).toEqual(E.right(value))
      }),
    )
  })

  test('a decoder made of it gives back what conforms, and decodes or refuses the rest as the codec does', () => {
    const decode = decoderOf(shape)
    expect(decode(fitting)).toEqual(E.right(fitting))
    expect(decode({ ...fitting, more: 1 })).toEqual(E.right(fitting))
    expect(E.isLeft(decode({ ...fitting, mode: 'cold' }))).toBe(true)
  })

  test('does not hold for a codec that changes what it reads', () => {
    const fromText = new t.Type<number, string, unknown>(
      'number from text',
      (u): u is number => typeof u === 'number',
      (u, c) => (typeof u === 'string' ? t.success(Number(u)) : t.failure(u, c)),
      String,
    )
    expect(conformanceOf(record({ n: fromText }))({ n: 1 })).toBe(false)
  })
})
