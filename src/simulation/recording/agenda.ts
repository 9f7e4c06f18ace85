interface Entry {
  readonly at: number
  readonly order: number
  readonly happen: () => void
}

/** What is to happen, by time; what is planned for the same moment happens in the order in which it was planned. */
export class Agenda {
  readonly #heap: Entry[] = []
  #planned = 0
  /** Unix time in milliseconds. */
  now: number

  constructor(startsAt: number) {
    this.now = startsAt
  }

  plan(at: number, happen: () => void): void {
    const heap = this.#heap
    heap.push({ at: Math.max(at, this.now), order: (this.#planned += 1), happen })
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1
      if (!isBefore(heap, child, parent)) break
      swap(heap, child, parent)
      child = parent
    }
  }

  /** Lets happen what was planned, and what is planned meanwhile, up to a moment. */
  runUntil(end: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#takeFirst()
      this.now = next.at
      next.happen()
    }
    this.now = end
  }

  #takeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    heap[0] = last
    for (let parent = 0; ;) {
      const left = 2 * parent + 1
      if (left >= heap.length) return
      const child = left + 1 < heap.length && isBefore(heap, left + 1, left) ? left + 1 : left
      if (!isBefore(heap, child, parent)) return
      swap(heap, child, parent)
      parent = child
    }
  }
}

function isBefore(heap: ReadonlyArray<Entry>, a: number, b: number): boolean {
  const [first, second] = [heap[a], heap[b]]
  if (first === undefined || second === undefined) return false
  return first.at < second.at || (first.at === second.at && first.order < second.order)
}

function swap(heap: Entry[], a: number, b: number): void {
  const [first, second] = [heap[a], heap[b]]
  if (first === undefined || second === undefined) return
  heap[a] = second
  heap[b] = first
}
