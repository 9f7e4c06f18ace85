import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { canonicalJson } from '../../src/events/canonicalJson.js'

test('the example of RFC 8785 section 3.2.2 gives the text of section 3.2.3', () => {
  const value: unknown = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`)

  expect(canonicalJson(value)).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  )
})

test('properties are sorted by UTF-16 code units, as in the example of section 3.2.3', () => {
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  }

  const values = [...canonicalJson(value).matchAll(/:"([^"]+)"/g)].map((match) => match[1])

  expect(values).toEqual([
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
})

// Appendix B of RFC 8785: IEEE 754 bits and the text they must give.
test.each([
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
])('the number with bits %s is written as %s', (bits, text) => {
  expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text)
})

test('equal values have one text, whatever the order in which their properties were set', () => {
  const shuffled = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(shuffled)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, item]) => [key, shuffled(item)]),
          )
        : value
  const hash = (value: unknown) => createHash('sha256').update(canonicalJson(value)).digest('hex')

  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(hash(shuffled(value))).toBe(hash(value))
    }),
  )
})

test('reading it back gives the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('half of a surrogate pair is escaped, as JSON.stringify does', () => {
  expect(canonicalJson({ name: 'a\ud83d', '\udc00': 1 })).toBe('{"name":"a\\ud83d","\\udc00":1}')
})

test('undefined properties are left out', () => {
  expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}')
})

const cycle: { self?: unknown } = {}
cycle.self = cycle
test.each([
  ['NaN', { a: [1, Number.NaN] }, 'at a[1] is NaN'],
  ['infinity', { a: -Infinity }, 'at a is -Infinity'],
  ['bigint', 1n, 'is of type bigint'],
  ['undefined in an array', [undefined], 'at [0] is of type undefined'],
  ['a cycle', cycle, 'nested too deeply or contains itself'],
])('%s is refused, saying where', (_, value, message) => {
  expect(() => canonicalJson(value)).toThrow(message)
})
