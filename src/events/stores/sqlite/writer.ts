import { setImmediate as afterThisTick, setTimeout as startTimer, clearTimeout } from 'node:timers'
import { setImmediate as nextTick } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import {
  AppendOutcomeUnknown,
  CutRefused,
  StoreUnavailable,
  StreamDeleted,
  WrongExpectedRevision,
  type AppendError,
} from '../../errors.js'
import * as E from 'fp-ts/lib/Either.js'
import type { AppendResult, StreamCut } from '../../store.js'
import { positionOf } from '../position.js'
import { errorOfFault } from './faults.js'
import type { AppendOutcome, AppendRequest, WorkerReply, WorkerRequest } from './protocol.js'

export interface WriterOptions {
  readonly path: string
  /** Appends not yet answered, at most; beyond them an append is refused with StoreUnavailable. */
  readonly pendingAppendsMax: number
  readonly pendingBytesMax: number
  /** How long the disk may take for one commit before appends count as unanswered. */
  readonly answerTimeoutMs: number
  /** Called after each commit. */
  readonly onCommit: () => void
  /** Starts another writing thread when one has ended by itself. Resolves when it has opened the log. */
  readonly reopen: () => Promise<Worker>
}

type Result = E.Either<AppendError, AppendResult>

interface Pending {
  readonly request: AppendRequest
  readonly bytes: number
  readonly answer: (result: Result) => void
}

/** What is with the worker now: it works on one request at a time. */
type UnderWay =
  | { readonly type: 'append'; readonly batch: ReadonlyArray<Pending> }
  | {
      readonly type: 'removal'
      readonly resolve: (reply: WorkerReply) => void
      readonly reject: (error: Error) => void
    }
  | { readonly type: 'close'; readonly resolve: () => void }

// One transaction takes what has gathered while the one before was committed, within these bounds.
const batchAppendsMax = 2_000
const batchBytesMax = 8 * 1024 * 1024

/** Between the end of the writing thread and the start of the next; doubled with each that cannot open the log. */
const reopenMs = { first: 50, max: 5_000 }

/**
 * The main thread's end of the writing thread. Appends that come while the disk is busy gather and share the next
 * commit (group commit); a single append is sent at the end of its tick.
 */
export class Writer {
  #worker: Worker
  readonly #options: WriterOptions
  readonly #waiting: Pending[] = []
  readonly #control: Array<{ readonly message: WorkerRequest; readonly underWay: UnderWay }> = []
  #pendingAppends = 0
  #pendingBytes = 0
  #underWay: UnderWay | undefined
  #scheduled = false
  /** Set while the writing thread cannot be used, with the reason. */
  #blocked: string | undefined
  #answerTimer: NodeJS.Timeout | undefined
  #reopenTimer: NodeJS.Timeout | undefined
  #closed = false

  /** @param worker a worker that has reported `opened`. */
  constructor(worker: Worker, options: WriterOptions) {
    this.#worker = worker
    this.#options = options
    this.#attend(worker)
  }

  #attend(worker: Worker): void {
    let gone = false
    const onGone = (how: string): void => {
      if (gone) return
      gone = true
      this.#onEnded(how)
    }
    worker.on('message', (reply: WorkerReply) => this.#onReply(reply))
    worker.on('error', (error) => onGone(`failed: ${error.message}`))
    worker.on('exit', () => onGone('ended'))
    // An idle store does not keep the process alive; one with work under way does.
    worker.unref()
  }

  append(request: AppendRequest, bytes: number): Promise<Result> {
    const { pendingAppendsMax, pendingBytesMax, path } = this.#options
    if (this.#blocked !== undefined) return Promise.resolve(E.left(new StoreUnavailable(this.#blocked)))
    if (this.#pendingAppends >= pendingAppendsMax || this.#pendingBytes + bytes > pendingBytesMax) {
      const reason = `${this.#pendingAppends} appends are waiting for the disk of ${path}; nothing was written, try again later`
      return Promise.resolve(E.left(new StoreUnavailable(reason)))
    }
    this.#pendingAppends += 1
    this.#pendingBytes += bytes
    return new Promise((resolve) => {
      this.#waiting.push({ request, bytes, answer: resolve })
      this.#sendSoon()
    })
  }

  async deleteStream(streamId: string): Promise<void> {
    await this.#remove({ type: 'delete', streamId })
  }

  /** Removes events in many small steps, between which appends are written. */
  async truncateBefore(streamId: string, cut: StreamCut): Promise<void> {
    for (let left = true; left;) {
      const reply = await this.#remove({ type: 'truncate', streamId, cut })
      if (reply.type === 'refused') throw new CutRefused(streamId, reply.reason)
      left = reply.type === 'truncated' && reply.left
      // Appends that have come meanwhile are first.
      if (left) await nextTick()
    }
  }

  #remove(message: WorkerRequest): Promise<WorkerReply> {
    if (this.#blocked !== undefined) return Promise.reject(new StoreUnavailable(this.#blocked))
    return new Promise((resolve, reject) => {
      this.#control.push({ message, underWay: { type: 'removal', resolve, reject } })
      this.#sendSoon()
    })
  }

  /** Waits for everything under way, then ends the thread. */
  close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#reopenTimer)
    return new Promise((resolve) => {
      if (this.#blocked !== undefined) {
        void this.#worker.terminate()
        return resolve()
      }
      this.#control.push({ message: { type: 'close' }, underWay: { type: 'close', resolve } })
      this.#sendSoon()
    })
  }

  #sendSoon(): void {
    if (this.#scheduled || this.#underWay !== undefined) return
    this.#scheduled = true
    afterThisTick(() => {
      this.#scheduled = false
      this.#send()
    })
  }

  #send(): void {
    if (this.#underWay !== undefined || this.#blocked !== undefined) return
    const next = this.#control[0]
    // A steady flow of appends must not hold up a removal; closing comes after everything else.
    if (next !== undefined && (next.message.type !== 'close' || this.#waiting.length === 0)) {
      this.#control.shift()
      this.#underWay = next.underWay
      this.#post(next.message)
    } else if (this.#waiting.length > 0) {
      const batch = this.#takeBatch()
      this.#underWay = { type: 'append', batch }
      this.#post({ type: 'append', batch: batch.map(({ request }) => request) })
    }
  }

  #takeBatch(): ReadonlyArray<Pending> {
    let bytes = 0
    let count = 0
    for (const pending of this.#waiting) {
      if (count === batchAppendsMax || (count > 0 && bytes + pending.bytes > batchBytesMax)) break
      bytes += pending.bytes
      count += 1
    }
    return this.#waiting.splice(0, count)
  }

  #post(message: WorkerRequest): void {
    this.#worker.ref()
    this.#worker.postMessage(message)
    const { answerTimeoutMs } = this.#options
    this.#answerTimer = startTimer(() => this.#onSilence(), answerTimeoutMs)
    this.#answerTimer.unref()
  }

  #onReply(reply: WorkerReply): void {
    const underWay = this.#underWay
    this.#underWay = undefined
    clearTimeout(this.#answerTimer)
    this.#worker.unref()
    // An answer after silence: the disk works again.
    this.#blocked = undefined
    if (underWay?.type === 'append' && reply.type === 'appended') this.#onAppended(underWay.batch, reply.outcomes)
    else if (underWay?.type === 'removal') {
      if (reply.type === 'failed') underWay.reject(errorOfFault(reply.fault, this.#options.path))
      else underWay.resolve(reply)
    } else if (underWay?.type === 'close') underWay.resolve()
    // The answered ones may append again before the next batch is closed.
    this.#sendSoon()
  }

  #onAppended(batch: ReadonlyArray<Pending>, outcomes: ReadonlyArray<AppendOutcome>): void {
    batch.forEach((pending, index) => {
      const outcome = outcomes[index] ?? { type: 'unknown', reason: 'no answer' }
      this.#answer(pending, resultOf(pending.request, outcome))
    })
    if (outcomes.some((outcome) => outcome.type === 'appended' && !outcome.repeated)) this.#options.onCommit()
  }

  #answer(pending: Pending, result: Result): void {
    this.#pendingAppends -= 1
    this.#pendingBytes -= pending.bytes
    pending.answer(result)
  }

  #onSilence(): void {
    const { path, answerTimeoutMs } = this.#options
    this.#giveUp(`the disk of ${path} has not answered for ${answerTimeoutMs} ms; the store goes on when it does`)
    // The late answer must find somebody.
    this.#underWay = { type: 'append', batch: [] }
  }

  #onEnded(how: string): void {
    clearTimeout(this.#answerTimer)
    this.#giveUp(`the thread that writes ${this.#options.path} has ${how}; another is started`)
    this.#reopenLater(reopenMs.first)
  }

  #reopenLater(pauseMs: number): void {
    if (this.#closed) return
    this.#reopenTimer = startTimer(() => {
      this.#options.reopen().then(
        (worker) => this.#goOnWith(worker),
        () => this.#reopenLater(Math.min(reopenMs.max, pauseMs * 2)),
      )
    }, pauseMs)
    this.#reopenTimer.unref()
  }

  #goOnWith(worker: Worker): void {
    if (this.#closed) return void worker.terminate()
    this.#worker = worker
    this.#blocked = undefined
    this.#underWay = undefined
    this.#attend(worker)
    this.#sendSoon()
  }

  #giveUp(reason: string): void {
    this.#blocked ??= reason
    const underWay = this.#underWay
    this.#underWay = undefined
    if (underWay?.type === 'append') {
      for (const pending of underWay.batch) {
        this.#answer(pending, E.left(new AppendOutcomeUnknown(pending.request.streamId, new StoreUnavailable(reason))))
      }
    }
    for (const pending of this.#waiting.splice(0)) this.#answer(pending, E.left(new StoreUnavailable(reason)))
    const control = this.#control.splice(0).map((queued) => queued.underWay)
    for (const request of underWay === undefined ? control : [underWay, ...control]) {
      if (request.type === 'removal') request.reject(new StoreUnavailable(reason))
      if (request.type === 'close') request.resolve()
    }
  }
}

function resultOf({ streamId, expected }: AppendRequest, outcome: AppendOutcome): Result {
  switch (outcome.type) {
    case 'appended': {
      const { lastRevision, place, repeated } = outcome
      return E.right({ lastRevision, position: positionOf(place), repeated })
    }
    case 'conflict':
      return E.left(new WrongExpectedRevision(streamId, expected, outcome.actual))
    case 'deleted':
      return E.left(new StreamDeleted(streamId))
    case 'unknown':
      return E.left(new AppendOutcomeUnknown(streamId, new StoreUnavailable(outcome.reason)))
    default:
      return E.left(new StoreUnavailable(outcome.reason))
  }
}
