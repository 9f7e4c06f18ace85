import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFifo, type Fifo, type FifoOptions } from '../../src/messaging/fifo.js'
import { createSpool } from '../../src/messaging/spool.js'
import { moveInFront } from '../../src/messaging/strandedFifo.js'
import { upTo } from '../contracts/transportContract.js'

let dir = ''
let open: Fifo[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'segue-spool-'))
})
afterEach(async () => {
  await Promise.all(open.map((fifo) => fifo.close()))
  open = []
  await rm(dir, { recursive: true, force: true })
})

const openAt = async (options: Partial<FifoOptions> = {}) => {
  const fifo = await openFifo({ dir, ...options })
  open.push(fifo)
  return fifo
}
const message = (number: number) => ({ subject: 'segue.health.a', id: `id-${number}`, data: { number } })
const messages = (from: number, to: number) => upTo(to - from).map((index) => message(from + index))

async function drain(fifo: Fifo, batch = 7): Promise<ReadonlyArray<string>> {
  const ids: string[] = []
  for (;;) {
    const some = await fifo.peek(batch)
    if (some.length === 0) return ids
    ids.push(...some.map(({ id }) => id))
    await fifo.shift(some)
  }
}
const idsOf = (list: ReadonlyArray<{ readonly id: string }>) => list.map(({ id }) => id)

test('messages come out in the order in which they went in', async () => {
  const fifo = await openAt({ fileBytesMax: 500 })

  for (const part of [messages(0, 1), messages(1, 30), messages(30, 31)]) await fifo.append(part)

  expect(await fifo.peek(2)).toEqual(messages(0, 2))
  expect(await drain(fifo)).toEqual(idsOf(messages(0, 31)))
  expect(fifo.isEmpty()).toBe(true)
})

test('what was only looked at stays', async () => {
  const fifo = await openAt()
  await fifo.append(messages(0, 3))

  await fifo.peek(3)

  expect(await drain(fifo)).toHaveLength(3)
})

test('appending and removing may go on side by side', async () => {
  const fifo = await openAt({ fileBytesMax: 300 })
  const taken: string[] = []
  for (const index of upTo(40)) {
    const appending = fifo.append(messages(index * 5, index * 5 + 5))
    const some = await fifo.peek(4)
    taken.push(...idsOf(some))
    await Promise.all([fifo.shift(some), appending])
  }

  taken.push(...(await drain(fifo)))

  expect(taken).toEqual(idsOf(messages(0, 200)))
})

test('a later process finds what was left, and not what was removed', async () => {
  const first = await openAt({ fileBytesMax: 400 })
  await first.append(messages(0, 20))
  await first.shift(await first.peek(9))

  // Without closing: as after a crash.
  const second = await openAt()

  expect(await drain(second)).toEqual(idsOf(messages(9, 20)))
  expect(await readdir(dir)).toEqual([])
})

test('what is put in front comes out first, also when the old first ones are partly done', async () => {
  const fifo = await openAt()
  await fifo.append(messages(10, 20))
  await fifo.shift(await fifo.peek(2))

  await fifo.prepend(messages(0, 3))

  expect(await drain(await openAt())).toEqual(idsOf([...messages(0, 3), ...messages(12, 20)]))
})

test('a last line that a crash cut off is passed over', async () => {
  const first = await openAt()
  await first.append(messages(0, 3))
  const [file = ''] = await readdir(dir)
  await appendFile(join(dir, file), '{"subject":"segue.health.a","id":"id-3","da')

  const second = await openAt()
  await second.append(messages(4, 5))

  expect(await drain(second)).toEqual(['id-0', 'id-1', 'id-2', 'id-4'])
})

test('a folder with nothing but a cut-off line counts as empty', async () => {
  await writeFile(join(dir, '5000000001.jsonl'), '{"subj')

  expect((await openAt()).isEmpty()).toBe(true)
})

test('beyond the limit the oldest go, and are counted', async () => {
  const bytesMax = 4_000
  const fifo = await openAt({ bytesMax })

  for (const one of messages(0, 200)) {
    await fifo.append([one])
    expect(fifo.bytes()).toBeLessThanOrEqual(bytesMax)
  }

  const left = await drain(fifo)
  expect(left).toEqual(idsOf(messages(200 - left.length, 200)))
  expect(fifo.dropped()).toBe(200 - left.length)
  // No more than a file too many goes at a time.
  expect(left.length).toBeGreaterThan(40)
})

test('removing passes over what was dropped meanwhile', async () => {
  const fifo = await openAt({ bytesMax: 1_000 })
  await fifo.append(messages(0, 5))
  const sent = await fifo.peek(5)
  for (const one of messages(5, 100)) await fifo.append([one])

  await fifo.shift(sent)

  const left = await drain(fifo)
  expect(left.length + fifo.dropped()).toBe(100)
  expect(left.at(-1)).toBe('id-99')
})

test('a folder that cannot be used is reported with its name', async () => {
  await writeFile(join(dir, 'file'), '')

  await expect(openFifo({ dir: join(dir, 'file', 'spool') })).rejects.toMatchObject({
    _tag: 'SpoolUnavailable',
    message: expect.stringContaining(join(dir, 'file', 'spool')),
  })
})

test('the spool keeps health samples apart from facts, and limits only the samples', async () => {
  const spool = await createSpool({ dir, bytesMax: 1_000 })
  const fact = (number: number) => ({ ...message(number), subject: 'segue.stream.s' })

  for (const number of upTo(100)) {
    await spool.samples.append([message(number)])
    await spool.facts.append([fact(number)])
  }

  expect(await drain(spool.facts)).toHaveLength(100)
  expect((await drain(spool.samples)).length + spool.samples.dropped()).toBe(100)
  expect(spool.samples.dropped()).toBeGreaterThan(0)
  await spool.close()
})

test('a spool that is in use is left alone; what it held when its process ended is found by the next one', async () => {
  const at = join(dir, 'spool')
  const first = await createSpool({ dir: at })
  await first.facts.append(messages(0, 3))
  const second = await createSpool({ dir: at })
  await second.facts.append(messages(3, 5))

  expect(await drain(first.facts)).toEqual(idsOf(messages(0, 3)))
  await first.facts.append(messages(5, 7))
  await first.close()

  const third = await createSpool({ dir: at })
  expect(await drain(third.facts)).toEqual(idsOf(messages(5, 7)))
  expect(await drain(second.facts)).toEqual(idsOf(messages(3, 5)))
  await Promise.all([second.close(), third.close()])
})

test('what processes left that ran side by side is found by a single one, before what it had itself', async () => {
  const at = join(dir, 'spool')
  const together = [await createSpool({ dir: at }), await createSpool({ dir: at }), await createSpool({ dir: at })]
  const [first, second, third] = together
  await first?.facts.append(messages(20, 25))
  for (const one of messages(0, 10)) await second?.facts.append([one])
  await second?.facts.shift(await second.facts.peek(2))
  await third?.facts.append(messages(10, 12))
  await third?.samples.append(messages(30, 32))
  await Promise.all(together.map((spool) => spool.close()))

  const alone = await createSpool({ dir: at })

  const ids = await drain(alone.facts)
  expect(ids.slice(-5)).toEqual(idsOf(messages(20, 25)))
  expect([...ids].sort()).toEqual(idsOf([...messages(2, 12), ...messages(20, 25)]).sort())
  expect(await drain(alone.samples)).toEqual(idsOf(messages(30, 32)))
  await alone.close()
})

test('files that are moved in front keep their order, and what was removed of the first', async () => {
  const [from, to] = [join(dir, 'from'), join(dir, 'to')]
  const [stranded, own] = [await openAt({ dir: from, fileBytesMax: 200 }), await openAt({ dir: to })]
  for (const one of messages(0, 20)) await stranded.append([one])
  await stranded.shift(await stranded.peek(2))
  await own.append(messages(20, 22))
  await Promise.all([stranded.close(), own.close()])

  await moveInFront(from, to)

  expect(await drain(await openAt({ dir: to }))).toEqual(idsOf(messages(2, 22)))
  expect(await readdir(from)).toEqual([])
})
