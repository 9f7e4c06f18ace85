import * as E from 'fp-ts/lib/Either.js'
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { clearInterval, setInterval } from 'node:timers'
import { setImmediate as pause } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import type { SegueEvent } from '../../envelope.js'
import { StoreUnavailable, type AppendError } from '../../errors.js'
import type { AppendResult, EventStore, ExpectedRevision } from '../../store.js'
import { eventBytes, textOf, tooLarge } from '../appendBytes.js'
import { makeFolder } from '../folder.js'
import { ChangeSignal, OpenSubscriptions, subscribeTo, type LogSource } from '../subscription.js'
import { openDatabase } from './driver.js'
import { errorOfFault, storeErrorOf } from './faults.js'
import type { EventRow, WorkerReply } from './protocol.js'
import { Reader } from './reader.js'
import { checkFile } from './schema.js'
import { startWorker } from './workerThread.js'
import { Writer } from './writer.js'

export interface SqliteStoreOptions {
  /** The file; it and its folder are made when missing. SQLite keeps `<path>-wal` and `<path>-shm` next to it. */
  readonly path: string
  /** Only read, e.g. while another process writes. The file must exist. */
  readonly readOnly?: boolean
  /** Appends waiting for the disk, at most; more are refused with StoreUnavailable. Default 10 000. */
  readonly pendingAppendsMax?: number
  /** The same in bytes. Default 64 MiB. */
  readonly pendingBytesMax?: number
  /** How long the disk may take for a commit before its appends are given up as AppendOutcomeUnknown. Default 30 000. */
  readonly answerTimeoutMs?: number
  /** How long to wait for another process that is writing. Default 5 000. */
  readonly busyTimeoutMs?: number
  /** Files up to this size are checked for damage when they are opened. Default 256 MiB. */
  readonly checkBytesMax?: number
  /** How soon subscriptions see what other processes append. Default 100. */
  readonly pollEveryMs?: number
}

/**
 * Opens the log in a SQLite file (write-ahead log, synchronous=FULL): what was acknowledged survives a crash of the
 * process and of the machine. Writing happens in a thread of its own, reading in the calling thread in small pages.
 *
 * @throws StoreCorrupt when the file is no log of ours, is damaged or was written by a newer version; StoreUnavailable
 * when it cannot be opened or the driver is missing.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<EventStore> {
  const path = resolve(options.path)
  const { readOnly = false, busyTimeoutMs = 5_000, checkBytesMax = 256 * 1024 * 1024 } = options
  const signal = new ChangeSignal()
  if (readOnly && !existsSync(path)) throw new StoreUnavailable(`there is no event log at ${path}; check the path`)
  const writer = readOnly ? undefined : await openWriter(path, options, busyTimeoutMs, checkBytesMax, signal)
  try {
    const db = await openDatabase(path, { readOnly: true, busyTimeoutMs })
    if (readOnly) checkFile(db, path, checkBytesMax)
    return assemble(path, new Reader(db, path), writer, signal, options.pollEveryMs ?? 100)
  } catch (error) {
    await writer?.close()
    throw storeErrorOf(error, path)
  }
}

async function openWriter(
  path: string,
  options: SqliteStoreOptions,
  busyTimeoutMs: number,
  checkBytesMax: number,
  signal: ChangeSignal,
): Promise<Writer> {
  try {
    makeFolder(dirname(path))
  } catch (error) {
    throw new StoreUnavailable(`the folder ${dirname(path)} cannot be made: ${String(error)}`, error)
  }
  const start = async (bytesToCheckMax: number): Promise<Worker> => {
    const worker = startWorker({ path, busyTimeoutMs, checkBytesMax: bytesToCheckMax })
    await opened(worker, path)
    return worker
  }
  return new Writer(await start(checkBytesMax), {
    path,
    // The file was found in order when the store was opened: appends wait, so it is not looked through again.
    reopen: () => start(0),
    pendingAppendsMax: options.pendingAppendsMax ?? 10_000,
    pendingBytesMax: options.pendingBytesMax ?? 64 * 1024 * 1024,
    answerTimeoutMs: options.answerTimeoutMs ?? 30_000,
    onCommit: () => signal.announce(),
  })
}

function opened(worker: Worker, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) =>
      reject(new StoreUnavailable(`the thread that writes ${path} failed: ${error.message}`, error))
    worker.once('error', onError)
    worker.once('message', (reply: WorkerReply) => {
      worker.removeListener('error', onError)
      if (reply.type === 'failed') reject(errorOfFault(reply.fault, path))
      else resolve()
    })
  })
}

function assemble(
  path: string,
  reader: Reader,
  writer: Writer | undefined,
  signal: ChangeSignal,
  pollEveryMs: number,
): EventStore {
  const subscriptions = new OpenSubscriptions()
  let closing: Promise<void> | undefined
  const closedError = () => new StoreUnavailable(`the store ${path} was closed`)

  let seen = reader.dataVersion()
  const poll = () => {
    if (signal.waiting === 0) return
    try {
      const version = reader.dataVersion()
      if (version === seen) return
      seen = version
    } catch {
      // The subscriptions will meet the same fault when they read, and can tell somebody.
    }
    signal.announce()
  }
  let timer: NodeJS.Timeout | undefined

  const source: LogSource = {
    pages: (filter) => reader.pages(filter),
    head: () => reader.head(),
    version: () => signal.version,
    changedSince: (version, ending) => signal.changedSince(version, ending),
    pause: () => pause(),
  }

  const append = async (
    streamId: string,
    events: ReadonlyArray<SegueEvent>,
    expected: ExpectedRevision,
  ): Promise<E.Either<AppendError, AppendResult>> => {
    if (closing !== undefined) return E.left(closedError())
    if (writer === undefined) return E.left(new StoreUnavailable(`${path} was opened for reading only`))
    if (events.length === 0) throw new RangeError(`an append to ${streamId} needs at least one event`)
    let bytes = 0
    const rows = events.map((event): EventRow => {
      const text = textOf(event)
      bytes += eventBytes(event, text)
      const { kind, occurredAt } = event.metadata
      return { id: event.id, type: event.type, schemaVersion: event.schemaVersion, kind, occurredAt, ...text }
    })
    const refusal = tooLarge(streamId, bytes)
    return refusal === undefined ? writer.append({ streamId, expected, rows }, bytes) : E.left(refusal)
  }

  const close = async () => {
    clearInterval(timer)
    await subscriptions.closeAll()
    reader.close()
    await writer?.close()
  }

  return {
    append:
      (streamId, events, { expected }) =>
      () =>
        append(streamId, events, expected),
    readStream: (streamId, options) => reader.readStream(streamId, options),
    readAll: (options) => reader.readAll(options),
    subscribe: (options) => {
      if (closing !== undefined) throw closedError()
      timer ??= setInterval(poll, pollEveryMs)
      return subscriptions.add(subscribeTo(source, options), () => {
        if (subscriptions.size > 0) return
        clearInterval(timer)
        timer = undefined
      })
    },
    deleteStream: async (streamId) => {
      if (closing !== undefined) throw closedError()
      if (writer === undefined) throw new StoreUnavailable(`${path} was opened for reading only`)
      await writer.deleteStream(streamId)
    },
    truncateBefore: async (streamId, cut) => {
      if (closing !== undefined) throw closedError()
      if (writer === undefined) throw new StoreUnavailable(`${path} was opened for reading only`)
      await writer.truncateBefore(streamId, cut)
    },
    cuts: async () => reader.cuts(),
    close: () => (closing ??= close()),
  }
}
