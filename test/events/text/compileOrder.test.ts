import fc from 'fast-check'
import { canonicalJson } from '../../../src/events/canonicalJson.js'
import { catalogue } from '../../../src/events/catalogue/index.js'
import { EventMetadata } from '../../../src/events/envelope.js'
import { compileOrder } from '../../../src/events/text/compileOrder.js'
import { compileReader } from '../../../src/events/text/compileReader.js'
import { OrderedBytes } from '../../../src/events/text/orderedBytes.js'
import { shapeOf } from '../../../src/events/text/shape.js'
import { TextBytes } from '../../../src/events/text/textBytes.js'
import { arbitraryOf } from '../../support/arbitraryOf.js'

const codecs: ReadonlyArray<readonly [string, unknown]> = [
  ['EventMetadata', EventMetadata],
  ...Object.entries(catalogue).flatMap(([category, definitions]) =>
    definitions.map(({ type, data }) => [`${category} ${type}`, data] as const),
  ),
]
const source = new TextBytes()
const target = new OrderedBytes(source)

/** The order of a shape as a function from text to text; null where it has none. */
function orderOf(codec: unknown, example: unknown) {
  const shape = shapeOf(codec, example)
  const read = shape === null ? null : compileReader(shape, source)
  const order = shape === null ? null : compileOrder(shape, target)
  if (read === null || order === null) return null
  return (text: string): string | null => {
    if (read(text) === undefined) return null
    target.length = 0
    return order(text) ? target.bytes.toString('latin1', 0, target.length) : null
  }
}

/** The value without characters that make a reader leave a text to JSON.parse. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(/\\.|[^ -~]/g, ''))

describe('a text put in order', () => {
  test.each(codecs)('is the canonical JSON of %s, as events are written', (_, codec) => {
    const values = fc.sample(arbitraryOf(codec), { numRuns: 8, seed: 5 }).map(plain)
    let ordered = 0
    for (const example of values) {
      const order = orderOf(codec, example)
      for (const value of values) {
        const found = order?.(JSON.stringify(value)) ?? null
        if (found === null) continue
        ordered += 1
        expect(found).toBe(canonicalJson(value))
      }
    }
    expect(ordered).toBeGreaterThan(0)
  })

  test('keeps values as they were written', () => {
    const order = orderOf(EventMetadata, {
      ...{ kind: 'fact', correlationId: 'a', causationId: null, occurredAt: 1, actorVersion: 2 },
    })
    const text = '{"kind":"fact","correlationId":"b","causationId":null,"occurredAt":1.50e3,"actorVersion":2.0}'
    expect(order?.(text)).toBe(
      '{"actorVersion":2.0,"causationId":null,"correlationId":"b","kind":"fact","occurredAt":1.50e3}',
    )
  })

  test('is given up where there is no room for it', () => {
    const shape = shapeOf(EventMetadata.type, undefined)
    target.length = 128 * 1024
    expect(shape === null ? null : compileOrder(shape, target)?.('{}')).toBe(false)
  })
})
