import { parentPort, workerData } from 'node:worker_threads'
import { StoreCorrupt, StoreError } from '../../errors.js'
import { createAppender, type Appender } from './appender.js'
import { openDatabase, type Database } from './driver.js'
import { faultOf, type Fault } from './faults.js'
import type { WorkerOptions, WorkerReply, WorkerRequest } from './protocol.js'
import { prepareForWriting } from './schema.js'
import { createTruncation, type Truncation } from './truncation.js'

// The thread that waits for the disk, so that the thread of the actors never does.

const { path, busyTimeoutMs, checkBytesMax } = workerData as WorkerOptions
const reply = (message: WorkerReply) => parentPort?.postMessage(message)

const opening = open()
parentPort?.on('message', (request: WorkerRequest) => {
  void opening.then((opened) => {
    if (opened !== undefined) serve(opened, request)
  })
})

interface Opened {
  readonly db: Database
  readonly appender: Appender
  readonly truncate: Truncation
}

async function open(): Promise<Opened | undefined> {
  let db: Database | undefined
  try {
    db = await openDatabase(path, { readOnly: false, busyTimeoutMs })
    prepareForWriting(db, path, checkBytesMax)
    const appender = createAppender(db, path)
    reply({ type: 'opened' })
    return { db, appender, truncate: createTruncation(db) }
  } catch (error) {
    db?.close()
    reply({ type: 'failed', fault: openingFault(error) })
    parentPort?.close()
    return undefined
  }
}

function openingFault(error: unknown): Fault {
  if (error instanceof StoreCorrupt) return { type: 'corrupt', reason: error.message.slice(error.where.length + 2) }
  if (error instanceof StoreError) return { type: 'unavailable', reason: error.message }
  return faultOf(error, path)
}

function serve({ db, appender, truncate }: Opened, request: WorkerRequest): void {
  switch (request.type) {
    case 'append':
      return void reply({ type: 'appended', outcomes: appender.append(request.batch) })
    case 'delete':
      return attempt(() => {
        appender.deleteStream(request.streamId)
        return { type: 'deleted' }
      })
    case 'truncate':
      return attempt(() => {
        const done = truncate(request.streamId, request.cut)
        return 'left' in done ? { type: 'truncated', left: done.left } : { type: 'refused', reason: done.reason }
      })
    case 'close':
      db.close()
      reply({ type: 'closed' })
      parentPort?.close()
  }
}

function attempt(work: () => WorkerReply): void {
  try {
    reply(work())
  } catch (error) {
    reply({ type: 'failed', fault: faultOf(error, path) })
  }
}
