import * as E from 'fp-ts/lib/Either.js'
import type { HandoverStep, StreamPayload } from '../../events/index.js'
import type { Assignment, Task } from '../../messaging/index.js'
import type { SegmentBuffer } from '../buffer/index.js'
import { stitch, unverifiedResult, type Follower, type Peer, type Stitched } from '../stitching/index.js'
import type { StationTimes } from './context.js'
import type { EncoderSlot } from './encoderSlot.js'

/** What a task sees of its stream; asked anew at every look, because assignments change meanwhile. */
export interface TaskScope {
  readonly server: string
  readonly assignment: () => Assignment
  readonly buffer: () => SegmentBuffer
  readonly encoder: EncoderSlot
  readonly follower: () => Follower | null
  readonly peer: () => Peer | null
  /** Viewers' requests so far, and the monotonic time of the last one. */
  readonly requests: () => { readonly count: number; readonly lastAtMs: number }
  readonly report: (payload: StreamPayload) => void
  readonly nowMs: () => number
  readonly times: StationTimes
  readonly signal: AbortSignal
}

/** Does one task to its end and reports it; resolves early, without a report, when the signal aborts. */
export async function runTask(task: Task, scope: TaskScope): Promise<void> {
  const beganAtMs = performance.now()
  switch (task.type) {
    case 'activate':
      return activate(task.order, scope, beganAtMs)
    case 'synchronize':
      return synchronize(task.order, scope, beganAtMs)
    case 'cutover':
      return cutover(task, scope)
    case 'drain':
      return drain(task, scope, beganAtMs)
  }
}

const encoderRestartsMax = 3
const restitchPauseMs = 300

async function activate(order: string, scope: TaskScope, beganAtMs: number): Promise<void> {
  const { server, report, signal } = scope
  const level = await untilLevel(scope, beganAtMs)
  if (signal.aborted) return
  if (E.isLeft(level)) return fail(scope, order, 'activate', level.left)
  report({
    type: 'StandbyActivated',
    data: { order, server, liveNumber: level.right, elapsedMs: since(beganAtMs) },
  })
  const stitched = await stitchUpTo(scope, level.right)
  if (signal.aborted) return
  if (E.isLeft(stitched)) return fail(scope, order, 'activate', stitched.left)
  const { result, primaryLiveNumber } = stitched.right
  const liveNumber = scope.buffer().encodedLive() ?? level.right
  report({
    type: 'BufferStitched',
    data: { order, server, result, liveNumber, primaryLiveNumber, elapsedMs: since(beganAtMs) },
  })
}

async function synchronize(order: string, scope: TaskScope, beganAtMs: number): Promise<void> {
  const { server, report, signal, times } = scope
  const done = (result: Stitched['result']): void =>
    report({ type: 'BufferSynchronized', data: { order, server, result, elapsedMs: since(beganAtMs) } })
  const { mode } = scope.assignment()
  if (mode === 'cold') return done(unverifiedResult(scope.buffer(), 0, 0))
  let upTo: number | null = null
  if (mode === 'hot') {
    const level = await untilLevel(scope, beganAtMs)
    if (signal.aborted) return
    if (E.isLeft(level)) return fail(scope, order, 'synchronize', level.left)
    upTo = level.right
  }
  while (!signal.aborted) {
    const stitched = await stitchUpTo(scope, upTo)
    if (signal.aborted) return
    if (E.isLeft(stitched)) return fail(scope, order, 'synchronize', stitched.left)
    if (stitched.right.primaryLiveNumber !== null) return done(stitched.right.result)
    if (since(beganAtMs) > times.synchronizeMsMax) {
      return fail(scope, order, 'synchronize', `the primary gave no segments for ${times.synchronizeMsMax} ms`)
    }
    await pause(restitchPauseMs, signal)
  }
}

async function cutover(task: Extract<Task, { type: 'cutover' }>, scope: TaskScope): Promise<void> {
  const { server, report, signal, nowMs } = scope
  const { epoch, cutover: number } = task
  while (!signal.aborted) {
    if (!(await scope.buffer().waitForLive(number, 1_000, signal))) continue
    return report({ type: 'CutoverReached', data: { epoch, server, number, reachedAt: nowMs() } })
  }
}

async function drain(task: Extract<Task, { type: 'drain' }>, scope: TaskScope, beganAtMs: number): Promise<void> {
  const { server, report, signal, times } = scope
  const before = scope.requests().count
  while (!signal.aborted) {
    const { count, lastAtMs } = scope.requests()
    const quiet = since(Math.max(lastAtMs, beganAtMs)) >= times.quietMs
    if (quiet || since(beganAtMs) >= task.deadlineMs) {
      const data = { epoch: task.epoch, server, requestsServed: count - before, forced: !quiet }
      return report({ type: 'PrimaryDrained', data: { ...data, elapsedMs: since(beganAtMs) } })
    }
    await pause(times.tickMs, signal)
  }
}

/**
 * Waits until the own encoder is level with the primary's, or, when the primary does not answer, with the feed.
 * Right: the newest number encoded here.
 */
async function untilLevel(scope: TaskScope, beganAtMs: number): Promise<E.Either<string, number>> {
  const { encoder, signal, times } = scope
  const restartsBefore = encoder.restarts()
  while (!signal.aborted) {
    const failure = encoder.failure()
    if (failure !== null) return E.left(failure)
    if (encoder.restarts() - restartsBefore >= encoderRestartsMax) {
      return E.left(`the encoder ended ${encoderRestartsMax} times; ${encoder.lastState()}`)
    }
    const own = scope.buffer().encodedLive()
    const follower = scope.follower()
    if (own !== null && encoder.running() && (follower === null || follower.asked())) {
      const theirs = follower?.peerLive() ?? null
      if (theirs === null ? encoder.level() : own >= theirs - 1) return E.right(own)
    }
    if (since(beganAtMs) > times.taskMsMax) {
      return E.left(`the encoder was not level within ${times.taskMsMax} ms; ${encoder.lastState()}`)
    }
    await pause(times.tickMs, signal)
  }
  return E.left('aborted')
}

async function stitchUpTo(scope: TaskScope, upTo: number | null): Promise<E.Either<string, Stitched>> {
  const peer = scope.peer()
  const buffer = scope.buffer()
  const count = scope.assignment().bufferSegments
  if (peer === null) return E.right({ result: unverifiedResult(buffer, count, upTo), primaryLiveNumber: null })
  // A primary that is known to be gone is asked once more, but not waited for.
  const attemptsMax = (scope.follower()?.reachableSinceMs() ?? null) === null ? 1 : 3
  const stitched = await stitch({ buffer, peer, count, upTo, attemptsMax })
  return E.isLeft(stitched) ? E.left(stitched.left.message) : stitched
}

const fail = (scope: TaskScope, order: string, step: HandoverStep, reason: string): void =>
  scope.report({ type: 'StepFailed', data: { order, server: scope.server, step, reason } })

const since = (atMs: number): number => Math.round((performance.now() - atMs) * 1_000) / 1_000

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
