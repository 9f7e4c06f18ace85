import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writevSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { makeFolder } from '../../events/stores/folder.js'
import type { MediaTicks } from '../format.js'
import type { FeedBlock } from './block.js'

/** What an earlier run of the ingest has given out last. */
export interface RememberedFeed {
  readonly incarnation: string
  /** What the format was, as the earlier run described it. */
  readonly format: string
  /** How many sound tracks it has. */
  readonly sounds: number
  /** Of the first block. */
  readonly position: number
  /** At least one. */
  readonly blocks: ReadonlyArray<FeedBlock>
}

export interface JournalFailure {
  readonly path: string
  readonly message: string
}

export interface JournalOptions {
  readonly dataDir: string
  readonly stream: string
  /** The disk does not take what is given out: told once, until it does again. */
  readonly onTrouble: (error: unknown) => void
  /** How much is kept at least; default 15 s, at most twice that. */
  readonly keepMs?: number
}

/** What stays as it is while a feed is gone on with. */
export type FeedForm = Pick<RememberedFeed, 'incarnation' | 'format' | 'sounds'>

/** Writes down what a feed gives out, before anybody can read it. */
export interface Journal {
  /** Begins to write, behind `after` when an earlier run is continued, else at a position. */
  readonly begin: (feed: FeedForm, after: RememberedFeed | null, position?: number) => void
  /** Never throws: a feed goes on air whatever the disk does. */
  readonly keep: (block: FeedBlock) => void
  readonly close: () => void
}

const Header = t.intersection([
  t.type({ version: t.literal(1), incarnation: t.string, format: t.string, position: t.number }),
  // Left out: one.
  t.partial({ sounds: t.number }),
])
type Header = t.TypeOf<typeof Header>

/** Then the counters of the second sound and those that follow. */
const headBytes = 24
/** The bits above them say which sound it is. */
const flags = { video: 1, startsGroup: 2, soundShift: 2 }
const blockBytesMax = 16 * 1024 * 1024

const headOf = ({ track, sound, ticks, endTicks, startsGroup, counters, bytes }: FeedBlock): Uint8Array => {
  const [first = 0, ...further] = counters.sounds
  const head = Buffer.alloc(headBytes + further.length)
  head.writeUInt32BE(bytes.length, 0)
  head[4] = (track === 'video' ? flags.video : 0) | (startsGroup ? flags.startsGroup : 0) | (sound << flags.soundShift)
  head[5] = counters.video
  head[6] = first
  head[7] = counters.tables
  head.writeDoubleBE(ticks, 8)
  head.writeDoubleBE(endTicks, 16)
  head.set(further, headBytes)
  return head
}

/** The block that begins at `at`; null at the end, and for one that was cut off by a crash. */
const decode = (
  file: Buffer,
  at: number,
  sounds: number,
): { readonly block: FeedBlock; readonly next: number } | null => {
  const start = at + headBytes + sounds - 1
  if (start > file.length) return null
  const length = file.readUInt32BE(at)
  const next = start + length
  if (length === 0 || length > blockBytesMax || next > file.length) return null
  const [bits = 0, video = 0, first = 0, tables = 0] = file.subarray(at + 4, at + 8)
  const block: FeedBlock = {
    track: (bits & flags.video) === 0 ? 'audio' : 'video',
    startsGroup: (bits & flags.startsGroup) !== 0,
    sound: bits >> flags.soundShift,
    counters: { video, tables, sounds: [first, ...file.subarray(at + headBytes, start)] },
    ticks: file.readDoubleBE(at + 8),
    endTicks: file.readDoubleBE(at + 16),
    bytes: file.subarray(start, next),
  }
  return { block, next }
}

interface Part {
  readonly index: number
  readonly header: Header
  readonly blocks: ReadonlyArray<FeedBlock>
  /** Length of what is whole. */
  readonly bytes: number
}

const endOf = ({ header, blocks }: Part): number =>
  blocks.reduce((position, { bytes }) => position + bytes.length, header.position)

/**
 * Two files in turn, each begun at a key frame, so that the last seconds are always there. Written synchronously: what
 * a reader has, the next run has too. It is for a process that was killed, not for a machine that lost power: nothing
 * waits for the disk.
 */
export class FileJournal implements Journal {
  readonly #options: JournalOptions
  readonly #paths: readonly [string, string]
  #feed: FeedForm | null = null
  #file: { readonly fd: number; readonly index: number; readonly sinceTicks: MediaTicks } | null = null
  #length = 0
  #position = 0
  #lastPart: Part | null = null
  #failed = false

  constructor(options: JournalOptions) {
    this.#options = options
    const path = (index: number): string =>
      join(options.dataDir, `ingest-${encodeURIComponent(options.stream)}.feed.${index}`)
    this.#paths = [path(0), path(1)]
  }

  /** What an earlier run has left; null when there is nothing to go on from. */
  load(): E.Either<JournalFailure, RememberedFeed | null> {
    const parts: Part[] = []
    for (const [index, path] of this.#paths.entries()) {
      const part = readPart(path, index)
      if (E.isLeft(part)) return part
      if (part.right !== null) parts.push(part.right)
    }
    const [last, before] = parts.toSorted((a, b) => b.header.position - a.header.position)
    if (last === undefined) return E.right(null)
    this.#lastPart = last
    const fits =
      before !== undefined &&
      before.header.incarnation === last.header.incarnation &&
      endOf(before) === last.header.position
    const { incarnation, format, sounds = 1 } = last.header
    const first = fits ? before : last
    return E.right({
      incarnation,
      format,
      sounds,
      position: first.header.position,
      blocks: fits ? [...before.blocks, ...last.blocks] : last.blocks,
    })
  }

  begin(feed: FeedForm, after: RememberedFeed | null, position = 0): void {
    this.close()
    this.#feed = feed
    const part = this.#lastPart
    this.#lastPart = null
    this.#position = after === null || part === null ? position : endOf(part)
    this.#try(() => {
      if (after === null || part === null) return this.#remove()
      const fd = openSync(this.#paths[part.index === 0 ? 0 : 1], 'r+')
      this.#file = { fd, index: part.index, sinceTicks: part.blocks[0]?.ticks ?? 0 }
      // Behind what a crash has cut off, nothing could be read.
      ftruncateSync(fd, part.bytes)
      this.#length = part.bytes
    })
  }

  readonly keep = (block: FeedBlock): void => {
    this.#try(() => {
      if (block.startsGroup) this.#turnOver(block.ticks)
      if (this.#file === null) return
      this.#write(this.#file.fd, [headOf(block), block.bytes])
      this.#failed = false
    })
    this.#position += block.bytes.length
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file.fd)
    this.#file = null
  }

  #write(fd: number, parts: ReadonlyArray<Uint8Array>): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const written = writevSync(fd, parts, this.#length)
    if (written < length) throw new Error(`the disk took ${written} of ${length} bytes`)
    this.#length += length
  }

  /** Begins a file with this key frame, if there is none or the present one is long enough. */
  #turnOver(ticks: MediaTicks): void {
    const { keepMs = 15_000, dataDir } = this.#options
    const present = this.#file
    if (this.#feed === null || (present !== null && ticks - present.sinceTicks < keepMs * 90)) return
    this.close()
    const index = present?.index === 0 ? 1 : 0
    makeFolder(dataDir)
    const fd = openSync(this.#paths[index], 'w')
    this.#file = { fd, index, sinceTicks: ticks }
    const header: Header = { version: 1, ...this.#feed, position: this.#position }
    this.#length = 0
    this.#write(fd, [Buffer.from(`${JSON.stringify(header)}\n`)])
  }

  #remove(): void {
    for (const path of this.#paths) rmSync(path, { force: true })
  }

  /** With a hole in it, it would make the next run give numbers twice: rather none, until the disk works again. */
  #try(write: () => void): void {
    try {
      write()
    } catch (error) {
      try {
        this.close()
        this.#remove()
      } catch {
        // The same trouble.
      }
      this.#file = null
      if (!this.#failed) this.#options.onTrouble(error)
      this.#failed = true
    }
  }
}

function readPart(path: string, index: number): E.Either<JournalFailure, Part | null> {
  let file: Buffer
  try {
    file = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return E.right(null)
    return E.left({ path, message: `cannot be read (${String(error)})` })
  }
  const headerEnd = file.indexOf('\n')
  // A file that was only just begun.
  if (headerEnd === -1 && file.length < 1_000) return E.right(null)
  const header = headerOf(file.subarray(0, Math.max(0, headerEnd)).toString('utf8'))
  if (header === null) return E.left({ path, message: 'is not the journal of a feed' })
  const blocks: FeedBlock[] = []
  let at = headerEnd + 1
  const { sounds = 1 } = header
  for (let read = decode(file, at, sounds); read !== null; read = decode(file, at, sounds)) {
    blocks.push(read.block)
    at = read.next
  }
  return E.right(blocks[0]?.startsGroup === true ? { index, header, blocks, bytes: at } : null)
}

function headerOf(line: string): Header | null {
  try {
    const header = Header.decode(JSON.parse(line))
    return E.isRight(header) ? header.right : null
  } catch {
    return null
  }
}
