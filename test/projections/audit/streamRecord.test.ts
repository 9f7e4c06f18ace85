import { hashBytes, markBytes } from '../../../src/events/integrity/index.js'
import { grown, Pieces, StreamRecord } from '../../../src/projections/audit/streamRecord.js'

/** Checkpoints of a server in a day and a half. */
const many = 12_000

test('what the ledger says of a stream grows without being copied, once it is more than a few checkpoints', () => {
  let list: number[] = []
  let copies = 0
  for (let value = 0; value < many; value += 1) {
    const next = grown(list, value)
    if (next !== list) copies += 1
    list = next
  }
  expect(list).toHaveLength(many)
  expect(list.at(-1)).toBe(many - 1)
  expect(copies).toBeLessThan(20)
})

test('every checkpoint of a long record is found', () => {
  const record = new StreamRecord(new Pieces())
  for (let revision = 0; revision < many; revision += 1) record.add(markOf(revision), revision, chainOf(revision))
  expect(record.last).toBe(many - 1)
  const revisions = Array.from({ length: many }, (_, revision) => revision)
  expect(revisions.filter((revision) => record.headRevision(revision) !== revision)).toEqual([])
  expect(revisions.filter((revision) => !record.headChain(revision).equals(chainOf(revision)))).toEqual([])
  expect(record.isMarked(many - 1, markOf(many - 1).toString('latin1'))).toBe(true)
  expect(record.isMarked(7, markOf(8).toString('latin1'))).toBe(false)
})

const markOf = (value: number): Buffer => chainOf(value).subarray(0, markBytes)

function chainOf(value: number): Buffer {
  const bytes = Buffer.alloc(hashBytes, 1)
  bytes.writeUInt32BE(value)
  return bytes
}
