import type { EncoderOptions } from '../encoder/index.js'
import { msOfTicks, ticksOfMs, type StreamFormat } from '../format.js'

/** What a stream's buffer holds without a break: from `runStart` to `live`. Null: nothing. */
export interface HeldRun {
  readonly runStart: number | null
  readonly live: number | null
}

const behindMsMax = 15_000

/**
 * Where in the feed an encoder begins: behind the newest number that is here already, because encoding what a standby
 * has copied only delays what nobody has yet. With little or nothing here, or after a long pause, `backfillMs` before
 * the live edge.
 */
export function encoderStart(
  { runStart, live }: HeldRun,
  { format, backfillMs }: { readonly format: StreamFormat; readonly backfillMs: number },
  nowMs: number,
): Pick<EncoderOptions, 'startTicks' | 'backMs'> {
  if (live === null || runStart === null) return { backMs: backfillMs }
  const { segmentTicks } = format
  const nextTicks = (live + 1) * segmentTicks
  if (nowMs - msOfTicks(nextTicks) > behindMsMax) return { backMs: backfillMs }
  const heldMs = msOfTicks((live + 1 - runStart) * segmentTicks)
  return { startTicks: heldMs < backfillMs ? nextTicks - ticksOfMs(backfillMs) : nextTicks }
}
