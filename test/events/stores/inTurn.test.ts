import { inTurn } from '../../../src/events/stores/inTurn.js'

function* pages(): Generator<ReadonlyArray<number>> {
  yield [1, 2]
  yield []
  yield [3]
}

describe('items in turn', () => {
  test('come in order, and end', async () => {
    const items = inTurn(pages)
    const found: number[] = []
    for await (const item of items) found.push(item)
    expect(found).toEqual([1, 2, 3])
    expect(await items.next()).toEqual({ value: undefined, done: true })
  })

  test('come in order to somebody who does not wait for them', async () => {
    const items = inTurn(pages)
    const asked = await Promise.all([items.next(), items.next(), items.next(), items.next()])
    expect(asked.map(({ value }) => value)).toEqual([1, 2, 3, undefined])
  })

  test('end when nobody wants more of them', async () => {
    const items = inTurn(pages)
    for await (const _ of items) break
    expect(await items.next()).toEqual({ value: undefined, done: true })
  })

  test('end with the failure of a page', async () => {
    const items = inTurn(function* () {
      yield [1]
      throw new Error('damaged')
    })
    expect(await items.next()).toEqual({ value: 1, done: false })
    await expect(items.next()).rejects.toThrow('damaged')
    expect(await items.next()).toEqual({ value: undefined, done: true })
  })

  test('open nothing before the first is asked for', () => {
    inTurn(() => {
      throw new Error('opened')
    })
  })
})
