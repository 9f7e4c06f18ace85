import type { Readable, Writable } from 'node:stream'

/** A process's standard input, usable before the process is there. */
export interface FfmpegInputPipe {
  /** False: wait for `drained` before the next write. */
  readonly write: (bytes: Uint8Array) => boolean
  /** Resolves once more may be written, the pipe has broken, or the signal aborts. */
  readonly drained: (signal: AbortSignal) => Promise<void>
  readonly end: () => void
  readonly connect: (stream: Writable | null) => void
}

/** A process's standard output. Nothing is read before somebody listens. */
export interface FfmpegOutputPipe {
  readonly onData: (listener: (chunk: Uint8Array) => void) => void
  readonly pause: () => void
  readonly resume: () => void
  /** Reads on, and throws away what comes, so that the process can end. */
  readonly discard: () => void
  /** Discards if nobody has listened so far: the process has gone, and its end is told when its output has been read. */
  readonly release: () => void
  readonly connect: (stream: Readable | null) => void
}

const queuedBytesMax = 64 * 1024

export function openInput(): FfmpegInputPipe {
  let stream: Writable | null = null
  let ended = false
  const early: Uint8Array[] = []
  const waiting = new Set<() => void>()
  const release = (): void => {
    for (const settle of [...waiting]) settle()
  }
  const isFull = (): boolean => stream === null || (!stream.destroyed && stream.writableLength >= queuedBytesMax)
  return {
    write(bytes) {
      if (stream === null) early.push(bytes)
      else stream.write(bytes)
      // Not what the stream says: it counts a write as queued that the pipe has already taken.
      return !isFull()
    },
    drained: (signal) =>
      new Promise((resolve) => {
        const settle = (): void => {
          waiting.delete(settle)
          signal.removeEventListener('abort', settle)
          resolve()
        }
        if (signal.aborted || !isFull()) return resolve()
        waiting.add(settle)
        signal.addEventListener('abort', settle)
      }),
    end() {
      ended = true
      stream?.end()
      release()
    },
    connect(connected) {
      stream = connected
      // That ffmpeg has gone is told by its exit.
      connected?.on('error', release)
      connected?.on('close', release)
      connected?.on('drain', release)
      for (const bytes of early.splice(0)) connected?.write(bytes)
      if (ended) connected?.end()
      if (!isFull()) release()
    },
  }
}

export function openOutput(): FfmpegOutputPipe {
  let stream: Readable | null = null
  let listener: ((chunk: Uint8Array) => void) | null = null
  let paused = false
  let discarding = false
  const flow = (): void => {
    if (stream === null) return
    // The library's own listener would keep the output as lines of text.
    stream.removeAllListeners('data')
    if (listener !== null && !discarding) stream.on('data', listener)
    if (discarding || (listener !== null && !paused)) stream.resume()
    else stream.pause()
  }
  return {
    onData(wanted) {
      listener = wanted
      flow()
    },
    pause() {
      paused = true
      stream?.pause()
    },
    resume() {
      paused = false
      flow()
    },
    discard() {
      discarding = true
      flow()
    },
    release() {
      if (listener !== null) return
      discarding = true
      flow()
    },
    connect(connected) {
      stream = connected
      flow()
    },
  }
}
