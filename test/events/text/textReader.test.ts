import fc from 'fast-check'
import { catalogue } from '../../../src/events/catalogue/index.js'
import { conformanceOf } from '../../../src/events/conformance.js'
import { EventMetadata } from '../../../src/events/envelope.js'
import { compileReader } from '../../../src/events/text/compileReader.js'
import { shapeOf } from '../../../src/events/text/shape.js'
import { TextBytes } from '../../../src/events/text/textBytes.js'
import { TextReader } from '../../../src/events/text/textReader.js'
import { arbitraryOf } from '../../support/arbitraryOf.js'

const codecs: ReadonlyArray<readonly [string, unknown]> = [
  ['EventMetadata', EventMetadata],
  ...Object.entries(catalogue).flatMap(([category, definitions]) =>
    definitions.map(({ type, data }) => [`${category} ${type}`, data] as const),
  ),
]
const source = new TextBytes()

/** What a text is read as by JSON.parse and the test of the codec. */
function parsed(codec: unknown, text: string) {
  try {
    const value: unknown = JSON.parse(text)
    return { value, conforms: conformanceOf(codec)(value) }
  } catch {
    return 'no JSON'
  }
}

function readBy(reader: TextReader, text: string) {
  try {
    return { value: reader.read(text), conforms: reader.conforms }
  } catch {
    return 'no JSON'
  }
}

/** One change of a text: something left out, doubled, or another character. */
const change = fc.record({
  at: fc.nat(),
  length: fc.nat({ max: 3 }),
  put: fc.constantFrom(
    '',
    '0',
    '-',
    '.',
    'e',
    '1e999',
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    'null',
    ' ',
    '\n',
    'é',
  ),
})
const changed = (text: string, { at, length, put }: { at: number; length: number; put: string }): string => {
  const place = at % (text.length + 1)
  return text.slice(0, place) + put + text.slice(place + length)
}

describe('a reader of texts', () => {
  test.each(codecs)('reads and judges %s as JSON.parse and the codec do, changed or not', (_, codec) => {
    // given a reader that knows the shapes of some texts
    const values = fc.sample(arbitraryOf(codec), { numRuns: 12, seed: 7 })
    const texts = values.map((value) => JSON.stringify(value))
    const reader = new TextReader(codec, source)
    for (const text of texts) for (let time = 0; time < 25; time += 1) reader.read(text)
    // when these, others and changed ones are read
    const another = arbitraryOf(codec).map((value) => JSON.stringify(value))
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...texts), another), fc.option(change), (text, made) => {
        const given = made === null ? text : changed(text, made)
        // then nothing tells which way they went
        expect(readBy(reader, given)).toEqual(parsed(codec, given))
      }),
      { numRuns: 40, seed: 7 },
    )
  })

  test.each(codecs)('compiles what is usual of %s', (_, codec) => {
    const [value] = fc.sample(arbitraryOf(codec), { numRuns: 1, seed: 3 })
    const text = JSON.stringify(value).replaceAll(/\\.|[^ -~]/g, '')
    const shape = shapeOf(codec, JSON.parse(text))
    const read = shape === null ? null : compileReader(shape, source)
    expect(read?.(text)).toEqual(JSON.parse(text))
  })

  test.each([
    '-0',
    '0',
    '0.1',
    '-12.50',
    '1772323201117.1584',
    '9007199254740993',
    '1E3',
    '2.5e-7',
    '0.000001',
    '1e400',
  ])('reads the number %s to the last bit', (text) => {
    const read = compileReader({ type: 'scalar', number: 'any' }, source)
    const value = JSON.parse(text) as number
    expect(read?.(text)).toBe(Number.isFinite(value) ? value : undefined)
  })

  test.each(['01', '1.', '.5', '+1', '1e', '--1', '', '1 ', 'NaN'])('finds no number in "%s"', (text) => {
    expect(compileReader({ type: 'scalar', number: 'any' }, source)?.(text)).toBeUndefined()
  })

  test('is not taken in by what it has read before: the end of a longer text is no part of a shorter one', () => {
    const read = compileReader(
      { type: 'list', item: { type: 'scalar', number: 'any' }, orNull: false, test: null },
      source,
    )
    expect(read?.('[1,2,3]')).toEqual([1, 2, 3])
    expect(read?.('[1,2')).toBeUndefined()
  })

  test('gives up on codecs whose texts are always different, and still reads them', () => {
    const reader = new TextReader(EventMetadata, source)
    for (let count = 0; count < 3_000; count += 1) reader.read('{"other":1}')
    expect(reader.read('{"other":2}')).toEqual({ other: 2 })
    expect(reader.conforms).toBe(false)
  })
})
