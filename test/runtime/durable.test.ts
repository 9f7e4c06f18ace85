import { writeAll } from '../../src/runtime/durable.js'

/** A file on a disk that takes so many bytes a turn, and no more than some in all. */
function disk(perTurn: number, room = Infinity) {
  const taken: number[] = []
  const write = (_file: number, bytes: Uint8Array): number => {
    if (taken.length >= room) throw new Error('ENOSPC: no space left on device, write')
    const count = Math.min(perTurn, bytes.length, room - taken.length)
    taken.push(...bytes.subarray(0, count))
    return count
  }
  return { write, text: () => Buffer.from(taken).toString() }
}

test.each([1, 3, 100])('a text is written whole, however little the disk takes at once: %i bytes', (perTurn) => {
  const { write, text } = disk(perTurn)
  writeAll(0, 'Zürich,42\r\n', write)
  expect(text()).toBe('Zürich,42\r\n')
})

test('a disk that fills up in the middle of a text fails it', () => {
  const { write, text } = disk(8, 12)
  expect(() => writeAll(0, 'stream,server,from,until', write)).toThrow('no space left')
  expect(text()).toBe('stream,serve')
})
