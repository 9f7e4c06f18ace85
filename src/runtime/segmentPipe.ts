import type { Writable } from 'node:stream'
import type { PlayedSegment } from '../client/index.js'

/** About twenty seconds of stream. A consumer further behind has stopped reading. */
const queuedSegmentsMax = 64

export type PipeEnd = 'closed' | 'stalled'

export interface SegmentPipe {
  readonly init: (bytes: Uint8Array) => void
  readonly segment: (segment: PlayedSegment) => void
  /** Leaves the stream open: it belongs to the caller. */
  readonly detach: () => void
}

/**
 * Writes a stream as one fragmented MP4: ftyp + moov, then video and audio of each number in order. Waits for `drain`
 * when the consumer is slow; ends when it goes away (`closed`) or falls too far behind (`stalled`).
 */
export const segmentPipe = (output: Writable, onEnd: (why: PipeEnd) => void): SegmentPipe => {
  let queue: ReadonlyArray<Uint8Array> = []
  let blocked = false
  let ended = false

  const detach = (): void => {
    ended = true
    queue = []
    output.off('drain', flow)
    output.off('close', gone)
  }
  const end = (why: PipeEnd): void => {
    if (ended) return
    detach()
    onEnd(why)
  }
  const gone = (): void => end('closed')
  const flow = (): void => {
    blocked = false
    while (!blocked && !ended) {
      const [first, ...rest] = queue
      if (first === undefined) return
      queue = rest
      blocked = !output.write(first)
    }
  }
  const push = (...parts: ReadonlyArray<Uint8Array>): void => {
    if (ended) return
    if (queue.length > 2 * queuedSegmentsMax) return end('stalled')
    queue = [...queue, ...parts]
    if (!blocked) flow()
  }
  output.on('drain', flow)
  output.on('close', gone)
  // Stays on after detach: a late EPIPE must not end the process.
  output.on('error', gone)
  return { init: (bytes) => push(bytes), segment: ({ video, audio }) => push(video, audio), detach }
}
