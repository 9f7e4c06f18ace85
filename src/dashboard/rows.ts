/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** An element that stays for as long as its item does: a press, a focus or an opened part outlives each refresh. */
export interface Row<T> {
  readonly element: Element
  readonly show: (item: T) => void
}

export interface RowsOptions<T> {
  readonly parent: Pick<Element, 'children' | 'insertBefore'>
  readonly keyOf: (item: T) => string
  readonly make: (item: T, index: number) => Row<T>
}

/**
 * Returns what shows a list in `parent`: one row for each item, in their order, before whatever else is in there. A row
 * is made once, changed in place, and removed with its item; a row that stands where it should is not moved.
 */
export function rowsIn<T>({ parent, keyOf, make }: RowsOptions<T>): (items: ReadonlyArray<T>) => void {
  const rows = new Map<string, Row<T>>()
  return (items) => {
    const wanted = new Set(items.map(keyOf))
    for (const [key, { element }] of rows) {
      if (wanted.has(key)) continue
      element.remove()
      rows.delete(key)
    }
    for (const [index, item] of items.entries()) {
      const key = keyOf(item)
      const row = rows.get(key) ?? make(item, index)
      rows.set(key, row)
      row.show(item)
      const there = parent.children[index] ?? null
      if (there !== row.element) parent.insertBefore(row.element, there)
    }
  }
}
