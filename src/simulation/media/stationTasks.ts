import type { HandoverStep, StitchResult, StreamPayload } from '../../events/index.js'
import type { Task } from '../../messaging/index.js'
import type { SimulatedStation } from './station.js'
import type { StationContext } from './stationContext.js'

interface Run {
  readonly task: Task
  readonly beganAtMs: number
  readonly requestsBefore: number
  readonly facts: { readonly again: () => void }[]
  /** The encoder is level; what is left is to compare. */
  level: number | null
  comparing: boolean
  ended: boolean
  given: boolean
}

const isOpen = ({ ended, given }: Run): boolean => !ended && !given

const rememberedMax = 64
const restitchPauseMs = 300
const encoderGivesUpMs = 2_000

/** Does each task of the assignments once per life of the process; asked for again, it says again what it said. */
export class StationTasks {
  readonly #station: SimulatedStation
  readonly #context: StationContext
  readonly #runs = new Map<string, Run>()
  /** Those that may come further. */
  #open: ReadonlyArray<Run> = []
  #reviewing = false

  constructor(station: SimulatedStation, context: StationContext) {
    this.#station = station
    this.#context = context
  }

  want(tasks: ReadonlyArray<Task>): void {
    const wanted = new Map(tasks.map((task) => [`${task.type} ${task.order}`, task]))
    for (const [key, run] of this.#runs) {
      if (wanted.has(key) || run.ended) continue
      run.given = true
      this.#runs.delete(key)
    }
    for (const [key, task] of wanted) {
      const run = this.#runs.get(key)
      if (run === undefined) this.#begin(key, task)
      else for (const fact of run.facts) fact.again()
    }
    this.review()
  }

  get isDraining(): boolean {
    return [...this.#runs.values()].some((run) => run.task.type === 'drain' && !run.ended)
  }

  stop(): void {
    for (const run of this.#runs.values()) run.given = true
  }

  /** Looks whether a task has come further. */
  review(): void {
    if (this.#reviewing || this.#open.length === 0) return
    this.#reviewing = true
    this.#open = this.#open.filter(isOpen)
    for (const run of this.#open) if (isOpen(run)) this.#look(run)
    this.#reviewing = false
  }

  #begin(key: string, task: Task): void {
    const { process, times, nowMs } = this.#context
    const run: Run = {
      task,
      beganAtMs: nowMs(),
      requestsBefore: this.#station.requests.count,
      facts: [],
      level: null,
      comparing: false,
      ended: false,
      given: false,
    }
    this.#runs.set(key, run)
    this.#open = [...this.#open, run]
    if (this.#runs.size > rememberedMax) {
      const oldest = [...this.#runs].find(([, each]) => each.ended)
      if (oldest !== undefined) this.#runs.delete(oldest[0])
    }
    if (task.type === 'drain') return this.#lookAgain(run, Math.min(times.quietMs, task.deadlineMs))
    if (task.type !== 'cutover') process.after(times.taskMsMax, () => this.#expire(run, times.taskMsMax))
  }

  #lookAgain(run: Run, afterMs: number): void {
    this.#context.process.after(afterMs, () => {
      if (!run.ended && !run.given) this.#look(run)
    })
  }

  #look(run: Run): void {
    switch (run.task.type) {
      case 'activate':
        return this.#activate(run)
      case 'synchronize':
        return this.#synchronize(run)
      case 'cutover':
        return this.#cutover(run, run.task)
      case 'drain':
        return this.#drain(run, run.task)
    }
  }

  #activate(run: Run): void {
    if (!this.#becomesLevel(run) || run.level === null || run.comparing) return
    const { order } = run.task
    const { server, process, copyMs } = this.#context
    this.#report(run, {
      type: 'StandbyActivated',
      data: { order, server, liveNumber: run.level, elapsedMs: this.#since(run) },
    })
    run.comparing = true
    process.after(copyMs(), () => {
      if (run.given) return
      const stitched = this.#station.stitch(run.level)
      const liveNumber = this.#station.buffer.encodedLive ?? run.level ?? 0
      const result = this.#resultOf(stitched, run.level)
      const primaryLiveNumber = stitched?.live ?? null
      const elapsedMs = this.#since(run)
      this.#report(run, {
        type: 'BufferStitched',
        data: { order, server, result, liveNumber, primaryLiveNumber, elapsedMs },
      })
      run.ended = true
    })
  }

  #synchronize(run: Run): void {
    const { mode } = this.#station.assignment
    if (mode === 'cold') return this.#synchronized(run, this.#resultOf(null, null))
    if (mode === 'hot' && !this.#becomesLevel(run)) return
    if (run.comparing) return
    run.comparing = true
    this.#context.process.after(this.#context.copyMs(), () => {
      if (run.given || run.ended) return
      const stitched = this.#station.stitch(run.level)
      if (stitched !== null) return this.#synchronized(run, this.#resultOf(stitched, run.level))
      const { synchronizeMsMax } = this.#context.times
      if (this.#since(run) > synchronizeMsMax) return this.#expire(run, synchronizeMsMax)
      this.#context.process.after(restitchPauseMs, () => {
        run.comparing = false
        if (!run.given && !run.ended) this.#synchronize(run)
      })
    })
  }

  #synchronized(run: Run, result: StitchResult): void {
    const { server } = this.#context
    run.ended = true
    this.#report(run, {
      type: 'BufferSynchronized',
      data: { order: run.task.order, server, result, elapsedMs: this.#since(run) },
    })
  }

  #cutover(run: Run, task: Extract<Task, { readonly type: 'cutover' }>): void {
    const live = this.#station.buffer.live
    if ((live === null || live < task.cutover) && !this.#context.defects.reportsEarly) return
    const { server, wallMs } = this.#context
    run.ended = true
    this.#report(run, {
      type: 'CutoverReached',
      data: { epoch: task.epoch, server, number: task.cutover, reachedAt: wallMs() },
    })
  }

  #drain(run: Run, task: Extract<Task, { readonly type: 'drain' }>): void {
    const { server, times, nowMs } = this.#context
    const { count, lastAtMs } = this.#station.requests
    const quietMs = nowMs() - Math.max(lastAtMs, run.beganAtMs)
    const leftMs = task.deadlineMs - this.#since(run)
    const quiet = quietMs >= times.quietMs
    if (!quiet && leftMs > 0) return this.#lookAgain(run, Math.min(leftMs, times.quietMs - quietMs))
    run.ended = true
    this.#report(run, {
      type: 'PrimaryDrained',
      data: {
        epoch: task.epoch,
        server,
        requestsServed: count - run.requestsBefore,
        forced: !quiet,
        elapsedMs: this.#since(run),
      },
    })
    this.#station.drainEnded(task.order)
  }

  /** Whether the own encoder is level with the primary's, or with the feed when the primary does not answer. */
  #becomesLevel(run: Run): boolean {
    if (run.level !== null) return true
    const station = this.#station
    if (station.encoder?.temper.broken === 'ends' && this.#since(run) >= encoderGivesUpMs) {
      this.#fail(run, 'the encoder ended 3 times')
      return false
    }
    if (station.encoder?.temper.broken === 'ends') this.#lookAgain(run, encoderGivesUpMs)
    const own = station.buffer.encodedLive
    if (own === null || station.encoder === null || !station.hasLooked) return false
    const theirs = station.peerLive
    if (theirs === null ? !station.encoderIsLevel() : own < theirs - 1) return false
    run.level = own
    return true
  }

  #expire(run: Run, limitMs: number): void {
    if (!run.ended && !run.given) this.#fail(run, `not done within ${limitMs} ms`)
  }

  #fail(run: Run, reason: string): void {
    const { type, order } = run.task
    if (type === 'cutover' || type === 'drain') return
    run.ended = true
    const step: HandoverStep = type
    this.#report(run, { type: 'StepFailed', data: { order, server: this.#context.server, step, reason } })
  }

  #report(run: Run, payload: StreamPayload): void {
    if (run.given) return
    const { type, order } = run.task
    run.facts.push(this.#context.report(this.#station.stream, payload, [order, type]))
  }

  #since(run: Run): number {
    return this.#context.nowMs() - run.beganAtMs
  }

  #resultOf(stitched: ReturnType<SimulatedStation['stitch']>, upTo: number | null): StitchResult {
    const { buffer, assignment } = this.#station
    const last = (stitched === null ? upTo : Math.min(stitched.live, upTo ?? Infinity)) ?? buffer.live ?? 0
    const oldest = buffer.oldest ?? last
    return {
      first: Math.max(Math.min(oldest, last), last - assignment.bufferSegments + 1),
      last,
      verified: stitched?.verified ?? 0,
      copied: stitched?.copied ?? 0,
      different: 0,
      unverified: 0,
      initIdentical: stitched === null ? null : true,
      hashes: [],
    }
  }
}
