import { open, readdir, readFile, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../events/stores/folder.js'

/** A message that waits on disk to be published. */
export interface SpooledMessage {
  readonly subject: string
  readonly id: string
  readonly data: unknown
}

/** The disk did not take or give what was asked; `cause` says why. Nothing was changed. */
export class SpoolUnavailable extends Error {
  readonly _tag = 'SpoolUnavailable'
}

export interface FifoOptions {
  readonly dir: string
  /** Beyond this many bytes the oldest messages are dropped; default: never. */
  readonly bytesMax?: number
  /** Size at which a new file is begun; default: an eighth of `bytesMax`, at most 1 MiB. */
  readonly fileBytesMax?: number
}

/** Messages on disk, first in, first out. What was appended survives a crash of the process (not of the machine). */
export interface Fifo {
  readonly append: (messages: ReadonlyArray<SpooledMessage>) => Promise<void>
  /** Puts messages before all others. */
  readonly prepend: (messages: ReadonlyArray<SpooledMessage>) => Promise<void>
  /** The first messages, at most `max`; they stay. */
  readonly peek: (max: number) => Promise<ReadonlyArray<SpooledMessage>>
  /** Removes these, which `peek` gave; those dropped meanwhile are passed over. */
  readonly shift: (messages: ReadonlyArray<SpooledMessage>) => Promise<void>
  /** Drops everything, to give the space to others. */
  readonly clear: () => Promise<void>
  readonly bytes: () => number
  readonly isEmpty: () => boolean
  /** Messages dropped because there were too many, since this was opened. */
  readonly dropped: () => number
  readonly close: () => Promise<void>
}

interface File {
  readonly number: number
  bytes: number
}

// Files are numbered from the middle, so that one can be put before the first.
export const firstNumber = 5_000_000_000
export const fileName = (number: number): string => `${String(number).padStart(10, '0')}.jsonl`
/** Of the file that says how many messages of another one are removed already. */
export const doneName = (number: number): string => `${number}.done`
/** The numbers of a folder's files that hold messages, in order. */
export const fileNumbers = (names: ReadonlyArray<string>): number[] =>
  names
    .filter((file) => /^\d{10}\.jsonl$/.test(file))
    .map((file) => Number.parseInt(file, 10))
    .sort((a, b) => a - b)

/** Opens the queue in a folder, which is made when missing and must be used by one process only. */
export async function openFifo(options: FifoOptions): Promise<Fifo> {
  const { dir, bytesMax = Infinity } = options
  await Promise.resolve(dir).then(makeFolder).catch(spoolUnavailable(dir))
  const fifo = new FileFifo(dir, bytesMax, options.fileBytesMax ?? Math.min(1_048_576, Math.ceil(bytesMax / 8)))
  await fifo.load().catch(spoolUnavailable(dir))
  return {
    append: (messages) => fifo.exclusively(() => fifo.append(messages)),
    prepend: (messages) => fifo.exclusively(() => fifo.prepend(messages)),
    peek: (max) => fifo.exclusively(() => fifo.peek(max)),
    shift: (messages) => fifo.exclusively(() => fifo.shift(messages)),
    clear: () => fifo.exclusively(() => fifo.clear()),
    bytes: () => fifo.bytes,
    isEmpty: () => fifo.bytes === 0,
    dropped: () => fifo.dropped,
    close: () => fifo.exclusively(() => fifo.closeTail()),
  }
}

class FileFifo {
  bytes = 0
  dropped = 0
  readonly #dir: string
  readonly #bytesMax: number
  readonly #fileBytesMax: number
  /** In order; the last may be open for appending. */
  readonly #files: File[] = []
  #tail: FileHandle | undefined
  /** What is left of the first file, once somebody has looked. */
  #head: { readonly number: number; messages: SpooledMessage[]; done: number } | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(dir: string, bytesMax: number, fileBytesMax: number) {
    this.#dir = dir
    this.#bytesMax = bytesMax
    this.#fileBytesMax = fileBytesMax
  }

  /** Runs one operation at a time, in the order of the calls. */
  exclusively<T>(operation: () => Promise<T>): Promise<T> {
    const run = this.#last.then(operation).catch(spoolUnavailable(this.#dir))
    this.#last = run.catch(() => undefined)
    return run
  }

  async load(): Promise<void> {
    for (const number of fileNumbers(await readdir(this.#dir))) {
      const { size } = await stat(join(this.#dir, fileName(number)))
      this.#files.push({ number, bytes: size })
      this.bytes += size
    }
    // Whatever is cut off or already done in the first file is not to count as waiting.
    while (this.#files.length > 0 && (await this.#loadHead()).messages.length === 0) await this.#removeHead()
  }

  async append(messages: ReadonlyArray<SpooledMessage>): Promise<void> {
    if (messages.length === 0) return
    const text = lines(messages)
    await this.#makeRoom(Buffer.byteLength(text))
    const file = await this.#openTail()
    try {
      await this.#tail?.appendFile(text)
    } catch (error) {
      // The half that was written must not stand in the way of the next line.
      await this.#tail?.truncate(file.bytes).catch(() => undefined)
      await this.closeTail()
      throw error
    }
    file.bytes += Buffer.byteLength(text)
    this.bytes += Buffer.byteLength(text)
    if (file.bytes >= this.#fileBytesMax) await this.closeTail()
  }

  async prepend(messages: ReadonlyArray<SpooledMessage>): Promise<void> {
    const first = this.#files[0]
    if (first === undefined) return this.append(messages)
    if (messages.length === 0) return
    const text = lines(messages)
    const number = first.number - 1
    try {
      await writeFile(join(this.#dir, fileName(number)), text)
    } catch (error) {
      await rm(join(this.#dir, fileName(number)), { force: true })
      throw error
    }
    this.#head = undefined
    this.#files.unshift({ number, bytes: Buffer.byteLength(text) })
    this.bytes += Buffer.byteLength(text)
  }

  async peek(max: number): Promise<ReadonlyArray<SpooledMessage>> {
    while (this.#files.length > 0) {
      const { messages } = await this.#loadHead()
      if (messages.length > 0) return messages.slice(0, max)
      await this.#removeHead()
    }
    return []
  }

  async shift(gone: ReadonlyArray<SpooledMessage>): Promise<void> {
    const ids = new Set(gone.map(({ id }) => id))
    for (;;) {
      if (this.#files.length === 0) return
      const head = await this.#loadHead()
      const keep = head.messages.findIndex(({ id }) => !ids.has(id))
      const count = keep === -1 ? head.messages.length : keep
      head.messages = head.messages.slice(count)
      head.done += count
      if (head.messages.length > 0) {
        if (count > 0) await writeFile(this.#doneFile(head.number), String(head.done))
        return
      }
      await this.#removeHead()
    }
  }

  async clear(): Promise<void> {
    while (this.#files.length > 0) await this.#dropHead()
  }

  async closeTail(): Promise<void> {
    const tail = this.#tail
    this.#tail = undefined
    await tail?.close()
  }

  async #makeRoom(bytes: number): Promise<void> {
    while (this.#files.length > 0 && this.bytes + bytes > this.#bytesMax) await this.#dropHead()
  }

  async #dropHead(): Promise<void> {
    this.dropped += (await this.#loadHead()).messages.length
    await this.#removeHead()
  }

  async #openTail(): Promise<File> {
    const last = this.#files.at(-1)
    if (this.#tail !== undefined && last !== undefined) return last
    const file = { number: (last?.number ?? firstNumber) + 1, bytes: 0 }
    this.#tail = await open(join(this.#dir, fileName(file.number)), 'a')
    this.#files.push(file)
    return file
  }

  async #loadHead(): Promise<{ readonly number: number; messages: SpooledMessage[]; done: number }> {
    const first = this.#files[0]
    if (first === undefined) return { number: 0, messages: [], done: 0 }
    if (this.#head?.number === first.number) return this.#head
    // What is read is not appended to any more.
    if (this.#files.length === 1) await this.closeTail()
    const text = await readFile(join(this.#dir, fileName(first.number)), 'utf8')
    const done = Number(await readFile(this.#doneFile(first.number), 'utf8').catch(() => '0')) || 0
    const messages = text.split('\n').flatMap(parseLine).slice(done)
    this.#head = { number: first.number, messages, done }
    return this.#head
  }

  async #removeHead(): Promise<void> {
    const first = this.#files[0]
    if (first === undefined) return
    if (this.#files.length === 1) await this.closeTail()
    // In this order: the mark of a file that is gone would hide messages of a later one of that number.
    await rm(this.#doneFile(first.number), { force: true })
    await rm(join(this.#dir, fileName(first.number)), { force: true })
    this.#files.shift()
    this.#head = undefined
    this.bytes -= first.bytes
  }

  #doneFile(number: number): string {
    return join(this.#dir, doneName(number))
  }
}

const lines = (messages: ReadonlyArray<SpooledMessage>): string =>
  messages.map(({ subject, id, data }) => `${JSON.stringify({ subject, id, data: data ?? null })}\n`).join('')

/** The message in a line; none for a line that a crash cut off. */
function parseLine(line: string): SpooledMessage[] {
  try {
    const value: unknown = JSON.parse(line)
    return isSpooled(value) ? [value] : []
  } catch {
    return []
  }
}

const isSpooled = (value: unknown): value is SpooledMessage =>
  typeof value === 'object' &&
  value !== null &&
  'subject' in value &&
  typeof value.subject === 'string' &&
  'id' in value &&
  typeof value.id === 'string' &&
  'data' in value

/** Makes a `SpoolUnavailable` of any error and throws it. */
export const spoolUnavailable =
  (dir: string) =>
  (error: unknown): never => {
    if (error instanceof SpoolUnavailable) throw error
    const detail = error instanceof Error ? error.message : String(error)
    throw new SpoolUnavailable(`the spool in ${dir} cannot be used: ${detail}; check its space and permissions`, {
      cause: error,
    })
  }

/** Whether it is for want of space that a fifo did not take something, and would take it if others gave theirs. */
export function isDiskFull(error: unknown): boolean {
  const cause = error instanceof SpoolUnavailable ? error.cause : error
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT'
}
