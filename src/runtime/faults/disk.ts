import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { InjectedFault } from './injectedFault.js'
import { checkRamp, progressOf } from './ramp.js'

const blockBytes = 4096
/** Node has four threads for files: so many writes do not wait, and of more each waits for a quarter of the others. */
const queueMin = 4
const queueMax = 10_000
const stepMs = 50

/** How many writes there are at once `elapsedMs` after the begin: each second a certain share more, up to 10,000. */
export const queueAt = (elapsedMs: number, rampMs: number): number =>
  Math.round(queueMin * (queueMax / queueMin) ** progressOf(elapsedMs, rampMs))

/**
 * Keeps the disk busy with small durable writes, of which more and more wait: whatever else this process reads or writes
 * waits behind them, for longer and longer. Other processes hardly notice: no more than four writes reach the disk at
 * once, all to one block of a file in `dir`, which has no name and is gone with the process.
 * @throws RangeError when the ramp is not 0 ms or longer
 */
export const slowDisk = (dir: string, rampMs: number): InjectedFault => {
  checkRamp(rampMs)
  const beganAtMs = performance.now()
  let stopped = false
  const length = (): number => (stopped ? 0 : queueAt(performance.now() - beganAtMs, rampMs))
  // Where no file can be made, the disk is broken already.
  void keepQueue(dir, length).catch(() => undefined)
  return { stop: () => void (stopped = true) }
}

async function keepQueue(dir: string, length: () => number): Promise<void> {
  const path = join(dir, `.segue-slow-disk-${process.pid}`)
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_DSYNC, 0o600)
  try {
    await unlink(path)
    await fillQueue(file, length)
  } finally {
    await file.close()
  }
}

/** `length`: of the queue as it should be now; 0 ends it. */
async function fillQueue(file: FileHandle, length: () => number): Promise<void> {
  const block = Buffer.alloc(blockBytes, 1)
  const writers = new Set<Promise<void>>()
  const write = async (): Promise<void> => {
    while (writers.size <= length()) await file.write(block, 0, blockBytes, 0)
  }
  while (length() > 0) {
    while (writers.size < length()) {
      // A write that fails is made again with the next step: a full disk must not end the process that has it.
      const writer: Promise<void> = write()
        .catch(() => undefined)
        .finally(() => writers.delete(writer))
      writers.add(writer)
    }
    await new Promise((resolve) => setTimeout(resolve, stepMs))
  }
  await Promise.all(writers)
}
