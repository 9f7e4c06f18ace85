import { close, constants, open, unlink, write } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const blockBytes = 4096
/** Delays of the event loop below this are noise of the measurement, not worth taking off. */
const loopDelayIgnoredMs = 5
const loopResolutionMs = 10
/** A write that takes this long is news before it ends. */
const hangingAfterMs = 50

export interface DiskLatencySource {
  /**
   * Latency of the newest small write in milliseconds; while one hangs, the time it has taken so far (at most
   * `latencyMsMax`); null before the first one and when the directory cannot be written. Begins the next write.
   */
  readonly take: () => number | null
  readonly close: () => void
}

export interface DiskLatencyOptions {
  readonly dir: string | null
  /** Part of the probe file's name, so that servers that share a directory do not share the file. */
  readonly name: string
  readonly monotonicMs: () => number
  readonly latencyMsMax?: number
}

type WriteBlock = (done: (error: unknown) => void) => void

/**
 * Writes one block to the disk per sample, never two at once: a hung disk holds one thread of libuv's pool, not all.
 * Opened with O_DSYNC, write and fdatasync are one trip to the pool, so a busy main thread delays the answer once only;
 * the delay of the event loop seen meanwhile is taken off, or a busy process would look like a slow disk.
 */
export const createDiskLatencySource = (options: DiskLatencyOptions): DiskLatencySource => {
  const { dir, name, monotonicMs, latencyMsMax = 30_000 } = options
  if (dir === null) return { take: () => null, close: () => undefined }
  const path = join(dir, `.segue-disk-probe-${name.replace(/[^A-Za-z0-9_-]/g, '_')}`)
  const block = Buffer.alloc(blockBytes, 1)
  let fd: number | null = null
  let closed = false
  let startedAtMs: number | null = null
  let newestMs: number | null = null

  const writeBlock: WriteBlock = (done) => {
    const writeTo = (descriptor: number): void => write(descriptor, block, 0, blockBytes, 0, (error) => done(error))
    if (fd !== null) return writeTo(fd)
    open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_DSYNC, 0o600, (error, descriptor) => {
      if (error !== null) return done(error)
      fd = descriptor
      // The file needs no name while it is open, and a killed process then leaves nothing behind.
      unlink(path, () => {
        // Opening creates the file, which is not what is measured.
        startedAtMs = monotonicMs()
        writeTo(descriptor)
      })
    })
  }

  const remove = (): void => {
    if (fd === null) return
    const descriptor = fd
    fd = null
    close(descriptor, () => undefined)
  }

  const begin = (): void => {
    const loop = monitorEventLoopDelay({ resolution: loopResolutionMs })
    loop.enable()
    startedAtMs = monotonicMs()
    writeBlock((error) => {
      loop.disable()
      const loopDelayMs = loop.count > 0 ? loop.max / 1e6 - loopResolutionMs : 0
      const takenMs = monotonicMs() - (startedAtMs ?? monotonicMs())
      newestMs = error ? null : Math.max(0, takenMs - (loopDelayMs > loopDelayIgnoredMs ? loopDelayMs : 0))
      startedAtMs = null
      if (closed) remove()
    })
  }

  return {
    take: () => {
      if (closed) return null
      if (startedAtMs !== null) {
        const soFarMs = monotonicMs() - startedAtMs
        return soFarMs < hangingAfterMs ? newestMs : Math.min(latencyMsMax, Math.max(newestMs ?? 0, soFarMs))
      }
      const latencyMs = newestMs === null ? null : Math.min(latencyMsMax, newestMs)
      begin()
      return latencyMs
    },
    close: () => {
      closed = true
      if (startedAtMs === null) remove()
    },
  }
}
