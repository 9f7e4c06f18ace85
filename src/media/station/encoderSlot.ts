import type { Encoder, EncoderOptions, EncoderState } from '../encoder/index.js'
import { msOfTicks } from '../format.js'
import type { EncoderFactory } from './context.js'

/** How an encoder does, for the health samples. */
export interface EncoderFigures {
  /** Media seconds per second; null before there are two segments. */
  readonly speed: number | null
  readonly latenessMs: number | null
}

/** The place for the one encoder of a stream: empty or running. */
export interface EncoderSlot {
  readonly running: () => boolean
  /** The newest segment is as new as the feed allows (this run). */
  readonly level: () => boolean
  /** Restarts of this run; a task that waits for the encoder gives up on too many. */
  readonly restarts: () => number
  /** Why nothing will come from it any more; null while it works. */
  readonly failure: () => string | null
  readonly lastState: () => string
  readonly start: (options: Omit<EncoderOptions, 'onState'>) => void
  /** Whether the encoder goes on reading its feed at that address, at the same byte. */
  readonly moveTo: (feedUrl: string) => boolean
  readonly stop: () => Promise<void>
  readonly figures: () => EncoderFigures | null
}

const speedWindowMs = 5_000
/** A new encoder begins some seconds back in the feed; until it is level, at most this long, that is no lateness. */
const catchUpMsMax = 10_000

interface Running {
  readonly encoder: Encoder
  readonly segmentMs: number
  level: boolean
  restarts: number
  failure: string | null
  lastState: string
  lastSegmentAtMs: number
  readonly startedMs: number
}

export function createEncoderSlot(createEncoder: EncoderFactory): EncoderSlot {
  let current: Running | null = null
  let stopping: Promise<void> = Promise.resolve()

  return {
    running: () => current !== null,
    level: () => current?.level ?? false,
    restarts: () => current?.restarts ?? 0,
    failure: () => current?.failure ?? null,
    lastState: () => current?.lastState ?? 'off',
    start(options) {
      if (current !== null) return
      const run = {
        segmentMs: msOfTicks(options.format.segmentTicks),
        level: false,
        restarts: 0,
        failure: null,
        lastState: 'starting',
        lastSegmentAtMs: performance.now(),
        startedMs: performance.now(),
      }
      const pending: Omit<Running, 'encoder'> = run
      const encoder = createEncoder({
        ...options,
        onSegment(segment) {
          pending.lastSegmentAtMs = performance.now()
          options.onSegment(segment)
        },
        onState: (state) => note(pending, state),
      })
      current = Object.assign(pending, { encoder })
    },
    moveTo: (feedUrl) => current?.encoder.moveTo(feedUrl) ?? false,
    async stop() {
      const gone = current
      current = null
      if (gone !== null) stopping = Promise.all([stopping, gone.encoder.stop()]).then(() => undefined)
      await stopping
    },
    figures() {
      if (current === null) return null
      const { encoder, segmentMs, lastSegmentAtMs, level, restarts, startedMs } = current
      const catchesUp = !level && restarts === 0 && performance.now() - startedMs < catchUpMsMax
      if (catchesUp) return { speed: null, latenessMs: null }
      const { speed, latenessMs } = encoder.stats()
      // An encoder that hangs reports nothing new; its silence must show all the same.
      const silentMs = Math.max(0, performance.now() - lastSegmentAtMs - 2 * segmentMs)
      return {
        speed: latenessMs === null ? null : speed * (speedWindowMs / (speedWindowMs + silentMs)),
        latenessMs: latenessMs === null ? null : latenessMs + silentMs,
      }
    },
  }
}

const note = (run: Omit<Running, 'encoder'>, state: EncoderState): void => {
  run.lastState = 'reason' in state ? `${state.type}: ${state.reason}` : state.type
  if (state.type === 'level') run.level = true
  if (state.type === 'restarting') {
    run.level = false
    run.restarts += 1
  }
  if (state.type === 'failed') run.failure = `${state.error._tag}: ${state.error.message}`
}
