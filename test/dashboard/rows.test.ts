/// <reference lib="dom" />
import { rowsIn } from '../../src/dashboard/rows.js'

/** As much of an element as holds rows. Counts moves, since a moved element loses the focus and a press. */
const parentOfRows = (rest: ReadonlyArray<string>) => {
  const names = [...rest]
  let moves = 0
  const children = new Proxy([], {
    get: (_, index) => held.get(names[Number(index)] ?? ''),
  }) as unknown as Element['children']
  const held = new Map<string, Element>()
  const elementOf = (name: string): Element => {
    const remove = (): void => void names.splice(names.indexOf(name), 1)
    const made = { id: name, remove } as Element
    held.set(name, made)
    return made
  }
  for (const name of rest) elementOf(name)
  const insertBefore = <T extends Node>(node: T, before: Node | null): T => {
    const { id } = node as unknown as Element
    if (names.includes(id)) names.splice(names.indexOf(id), 1)
    const at = before === null ? names.length : names.indexOf((before as Element).id)
    names.splice(at, 0, id)
    moves += 1
    return node
  }
  return { parent: { children, insertBefore }, elementOf, names, moves: () => moves }
}

describe('rows of the page', () => {
  const given = () => {
    const place = parentOfRows(['none yet'])
    const made: string[] = []
    const shown: string[] = []
    const show = rowsIn({
      parent: place.parent,
      keyOf: (item: string) => item.split(' ')[0] ?? '',
      make: (item) => {
        const name = item.split(' ')[0] ?? ''
        made.push(name)
        return { element: place.elementOf(name), show: (now) => void shown.push(now) }
      },
    })
    return { place, made, shown, show }
  }

  it('are made once, and changed where they stand', () => {
    const { place, made, shown, show } = given()
    show(['a 1', 'b 1'])
    const moved = place.moves()
    show(['a 2', 'b 2'])
    expect(made).toEqual(['a', 'b'])
    expect(shown).toEqual(['a 1', 'b 1', 'a 2', 'b 2'])
    expect(place.moves()).toBe(moved)
    expect(place.names).toEqual(['a', 'b', 'none yet'])
  })

  it('go with their items, without moving the others', () => {
    const { place, made, show } = given()
    show(['a 1', 'b 1', 'c 1'])
    const moved = place.moves()
    show(['b 2', 'c 2'])
    expect(place.names).toEqual(['b', 'c', 'none yet'])
    expect(place.moves()).toBe(moved)
    show(['d 1', 'b 3', 'c 3', 'a 3'])
    expect(place.names).toEqual(['d', 'b', 'c', 'a', 'none yet'])
    expect(place.moves()).toBe(moved + 2)
    expect(made).toEqual(['a', 'b', 'c', 'd', 'a'])
  })
})
