import fc from 'fast-check'
import { firstCounters, type FeedBlock } from '../../../src/media/feed/block.js'
import { FeedBlocks, FeedRing, FeedWriter } from '../../../src/media/feed/index.js'
import { clockTicks } from '../../../src/media/feed/ts/clock33.js'
import { audioFrameTicks, ticksOfFrame } from '../../../src/media/format.js'
import { formatOf, unitOf } from '../support.js'

const format = formatOf({ sounds: [{ language: 'en' }, { language: 'de' }] })
const firstFrame = 1_000_000 * format.gopFrames
const startTicks = ticksOfFrame(firstFrame, format)

/** What a feed of some frames consists of, and what its readers get. */
const given = (
  packets: ReadonlyArray<number>,
): { readonly blocks: ReadonlyArray<FeedBlock>; readonly bytes: Buffer } => {
  const blocks: FeedBlock[] = []
  const ring = new FeedRing({ beforeReadable: (block) => blocks.push(block) })
  const writer = new FeedWriter(ring, firstCounters(2))
  for (const [index, count] of packets.entries()) {
    const ticks = ticksOfFrame(firstFrame + index, format)
    const endTicks = ticksOfFrame(firstFrame + index + 1, format)
    const keyFrame = index % format.gopFrames === 0
    writer.write({ ...unitOf('video', 0, { keyFrame, packets: count }), ticks, endTicks })
    for (const sound of [0, 1]) {
      const at = startTicks + index * audioFrameTicks
      writer.write({ ...unitOf('audio', 0), sound, ticks: at, endTicks: at + audioFrameTicks })
    }
  }
  return { blocks, bytes: Buffer.concat(blocks.map((block) => block.bytes)) }
}

const cut = (bytes: Buffer, size: number, from = startTicks): ReadonlyArray<FeedBlock> => {
  const found: FeedBlock[] = []
  const cutter = new FeedBlocks(format, from)
  for (let at = 0; at < bytes.length; at += size) found.push(...cutter.push(bytes.subarray(at, at + size)))
  return found
}

describe('FeedBlocks', () => {
  it('makes of the bytes of a feed what they were made of, however they arrive', () => {
    const frames = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 3, maxLength: 30 })
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 900 }), (packets, size) => {
        const { blocks, bytes } = given(packets)
        const found = cut(bytes, size)
        const form = ({ bytes: own, counters: _, ...facts }: FeedBlock) => ({ ...facts, bytes: Buffer.from(own) })
        expect(found.map(form)).toEqual(blocks.map(form))
        // By then it has seen a packet of each track.
        expect(found.slice(3).map(({ counters }) => counters)).toEqual(blocks.slice(3).map(({ counters }) => counters))
      }),
      { numRuns: 40 },
    )
  })

  it('gives a block as soon as its last packet is here', () => {
    const { blocks, bytes } = given([4, 2])
    const first = blocks[0]?.bytes.length ?? 0
    expect(cut(bytes.subarray(0, first), first)).toHaveLength(1)
    expect(cut(bytes.subarray(0, first - 188), first)).toHaveLength(0)
  })

  it('keeps the absolute time over the wrap of the 33 bit clock', () => {
    expect(startTicks).toBeGreaterThan(clockTicks)
    expect(cut(given([1, 1]).bytes, 188)[0]).toMatchObject({ ticks: startTicks, startsGroup: true })
  })
})
