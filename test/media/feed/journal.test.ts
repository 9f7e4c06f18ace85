import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { firstCounters } from '../../../src/media/feed/block.js'
import { FeedRing, FeedWriter, FileJournal, type RememberedFeed } from '../../../src/media/feed/index.js'
import { unitOf } from '../support.js'

const feed = { incarnation: 'run1', format: '{"fps":25}', sounds: 1 }
const firstTicks = 36_000 * 1_000

describe('FileJournal', () => {
  let dataDir = ''
  let troubles: string[] = []
  let frames = 0
  let ring: FeedRing
  let writer: FeedWriter

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'segue-journal-'))
    troubles = []
    frames = 0
  })
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

  const journalIn = (): FileJournal =>
    new FileJournal({
      dataDir,
      stream: 'one',
      keepMs: 2_000,
      onTrouble: (error) => troubles.push(String(error)),
    })

  /** A run of the ingest that goes on behind what it finds, as far as it can be gone on with. */
  const run = (): { readonly left: RememberedFeed | null; readonly close: () => void } => {
    const journal = journalIn()
    const left = loaded(journal)
    ring = new FeedRing({ beforeReadable: journal.keep })
    if (left !== null) ring.restore(left.blocks, left.position)
    journal.begin(feed, left)
    writer = new FeedWriter(ring, left?.blocks.at(-1)?.counters)
    return { left, close: journal.close.bind(journal) }
  }
  const loaded = (journal: FileJournal): RememberedFeed | null => {
    const left = journal.load()
    if (E.isLeft(left)) throw new Error(left.left.message)
    return left.right
  }

  /** Frames of 40 ms, a key frame every 400 ms; every other one may be handed on with the next. */
  const air = (count: number): void => {
    for (let end = frames + count; frames < end; frames += 1) {
      const ticks = firstTicks + frames * 3_600
      const keyFrame = frames % 10 === 0
      writer.write({ ...unitOf('video', 0, { keyFrame }), ticks, endTicks: ticks + 3_600, held: frames % 2 === 1 })
    }
  }
  const files = (): ReadonlyArray<string> => readdirSync(dataDir).map((name) => join(dataDir, name))
  const written = (): number => files().reduce((sum, path) => sum + statSync(path).size, 0)

  it('has everything that a reader could have when the process is killed', () => {
    run()
    for (let count = 0; count < 25; count += 1) {
      air(1)
      expect(lengthOf(loaded(journalIn()))).toBe(ring.end)
    }
  })

  it('lets the next run go on at the same byte, with counters that do not jump', () => {
    run()
    air(34)
    const before = ring.read(0, Infinity) ?? new Uint8Array()
    const end = ring.end

    const { left } = run()
    expect(left).toMatchObject({ ...feed, position: 0 })
    expect(ring.end).toBe(end)
    air(20)
    const after = ring.read(0, Infinity) ?? new Uint8Array()
    expect(Buffer.compare(after.subarray(0, before.length), before)).toBe(0)
    expect(countersIn(after)).toEqual(
      countersIn(after)
        .map((_, index) => (countersIn(after)[0] ?? 0) + index)
        .map(mod16),
    )
  })

  it('knows the sounds of a feed apart, each with its counter', () => {
    const journal = journalIn()
    ring = new FeedRing({ beforeReadable: journal.keep })
    journal.begin({ ...feed, sounds: 3 }, null)
    writer = new FeedWriter(ring, firstCounters(3))
    air(1)
    for (const sound of [0, 1, 1, 2, 2, 2]) {
      writer.write({ ...unitOf('audio', 0), sound, ticks: firstTicks, endTicks: firstTicks + 1_920 })
    }
    const left = loaded(journalIn())
    expect(left).toMatchObject({ sounds: 3, position: 0 })
    expect(lengthOf(left)).toBe(ring.end)
    expect(left?.blocks.map(({ track, sound }) => [track, sound])).toEqual([
      ['video', 0],
      ...[0, 1, 1, 2, 2, 2].map((sound) => ['audio', sound]),
    ])
    expect(left?.blocks.at(-1)?.counters).toMatchObject({ sounds: [2, 4, 6] })
  })

  it('keeps the last seconds in two files that do not grow', () => {
    run()
    air(200)
    const size = written()
    air(1_000)
    expect(files()).toHaveLength(2)
    expect(written()).toBeLessThan(2 * size)
    const { left } = run()
    const [first] = left?.blocks ?? []
    expect(first?.startsGroup).toBe(true)
    expect((firstTicks + 1_199 * 3_600 - (first?.ticks ?? 0)) / 90).toBeGreaterThanOrEqual(2_000)
    expect(lengthOf(left)).toBe(ring.end)
  })

  it('passes over what a crash has cut off', () => {
    run()
    air(31)
    const whole = ring.end
    appendFileSync(files()[0] ?? '', Buffer.from([0, 0, 5, 0, 1, 2, 3]))
    run()
    expect(ring.end).toBe(whole)
    air(9)
    const end = ring.end
    run()
    expect(ring.end).toBe(end)
  })

  it('is empty for a file in which nothing stands yet, and refuses one that is no journal', () => {
    run().close()
    expect(loaded(journalIn())).toBeNull()
    air(1)
    truncateSync(files()[0] ?? '', 10)
    expect(loaded(journalIn())).toBeNull()
    writeFileSync(files()[0] ?? '', 'dear diary\n'.repeat(200))
    expect(journalIn().load()).toEqual(E.left(expect.objectContaining({ message: 'is not the journal of a feed' })))
  })

  it('forgets an earlier feed that is not gone on with', () => {
    run()
    air(200)
    const journal = journalIn()
    loaded(journal)
    journal.begin({ ...feed, incarnation: 'run2' }, null)
    expect(files()).toEqual([])
  })

  it('says once that the disk does not take it, keeps no journal with a hole, and begins again when the disk works', () => {
    run()
    rmSync(dataDir, { recursive: true })
    writeFileSync(dataDir, 'a file where the folder should be')
    air(35)
    expect(troubles).toHaveLength(1)
    rmSync(dataDir)
    air(20)
    expect(troubles).toHaveLength(1)
    const left = loaded(journalIn())
    expect(left?.blocks[0]).toMatchObject({ startsGroup: true, ticks: firstTicks + 40 * 3_600 })
    expect(lengthOf(left)).toBe(ring.end)
  })
})

/** Position after the last byte. */
const lengthOf = (left: RememberedFeed | null): number | undefined =>
  left?.blocks.reduce((end, { bytes }) => end + bytes.length, left.position)

const mod16 = (count: number): number => count % 16

/** Continuity counters of the video's packets. */
const countersIn = (bytes: Uint8Array): ReadonlyArray<number> => {
  const counters: number[] = []
  for (let at = 0; at < bytes.length; at += 188) {
    const pid = (((bytes[at + 1] ?? 0) & 0x1f) << 8) | (bytes[at + 2] ?? 0)
    if (pid === 0x100) counters.push((bytes[at + 3] ?? 0) & 0x0f)
  }
  return counters
}
