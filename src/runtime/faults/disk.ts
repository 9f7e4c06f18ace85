import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { InjectedFault } from './injectedFault.js'

const blockBytes = 4096
/** Node has four threads for files: so many writes do not wait, and of more each waits for a quarter of the others. */
const queueMin = 4
const queueMax = 10_000
const stepMs = 50

/** How many writes there are at once `elapsedMs` after the begin: each second a certain share more, up to 10,000. */
export const queueAt = (elapsedMs: number, rampMs: number): number => {
  const progress = rampMs > 0 ? Math.min(1, Math.max(0, elapsedMs / rampMs)) : 1
  return Math.round(queueMin * (queueMax / queueMin) ** progress)
}

/**
 * Keeps the disk busy with small durable writes, of which more and more wait: whatever else this process reads or writes
 * waits behind them, for longer and longer. Other processes hardly notice: no more than four writes reach the disk at
 * once, all to one block of a file in `dir`, which has no name and is gone with the process.
 * @throws RangeError when the ramp is not 0 ms or longer
 */
export const slowDisk = (dir: string, rampMs: number): InjectedFault => {
  if (!(Number.isFinite(rampMs) && rampMs >= 0)) {
    throw new RangeError(`a ramp of ${rampMs} ms is not possible: give 0 or more`)
  }
  const beganAtMs = performance.now()
  let stopped = false
  const length = (): number => (stopped ? 0 : queueAt(performance.now() - beganAtMs, rampMs))
  // A disk that takes no writes at all is a fault, too.
  void keepQueue(dir, length, () => stopped).catch(() => undefined)
  return { stop: () => void (stopped = true) }
}

async function keepQueue(dir: string, length: () => number, isOver: () => boolean): Promise<void> {
  const path = join(dir, `.segue-slow-disk-${process.pid}`)
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_DSYNC, 0o600)
  try {
    await unlink(path)
    await fillQueue(file, length, isOver)
  } finally {
    await file.close()
  }
}

async function fillQueue(file: FileHandle, length: () => number, isOver: () => boolean): Promise<void> {
  const block = Buffer.alloc(blockBytes, 1)
  const writers = new Set<Promise<void>>()
  const write = async (): Promise<void> => {
    while (writers.size <= length()) await file.write(block, 0, blockBytes, 0)
  }
  while (!isOver()) {
    while (writers.size < length()) {
      const writer: Promise<void> = write().finally(() => writers.delete(writer))
      writers.add(writer)
    }
    await new Promise((resolve) => setTimeout(resolve, stepMs))
  }
  await Promise.all(writers)
}
