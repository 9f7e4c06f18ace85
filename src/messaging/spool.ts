import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { lockFile, type FileLock } from '../events/stores/sqlite/lockFile.js'
import { openFifo, spoolUnavailable, type Fifo } from './fifo.js'
import { moveInFront } from './strandedFifo.js'

export interface SpoolOptions {
  /**
   * Made when missing. While another spool has it open, even of another process, `<dir>-2` is taken, and so on; what ended
   * processes left in any of these is taken over.
   */
  readonly dir: string
  /** Most bytes of health samples; beyond them the oldest are dropped. Default 64 MiB. */
  readonly bytesMax?: number
}

/** What waits on disk while the broker is away: health samples, which may be dropped, and facts, which may not. */
export interface Spool {
  readonly samples: Fifo
  readonly facts: Fifo
  readonly close: () => Promise<void>
}

/** @throws SpoolUnavailable when the folder cannot be used. */
export async function createSpool({ dir: wanted, bytesMax = 64 * 1_048_576 }: SpoolOptions): Promise<Spool> {
  const { dir, lock } = await firstFree(wanted)
  try {
    await takeStranded(wanted, dir)
    const samples = await openFifo({ dir: join(dir, 'samples'), bytesMax })
    const facts = await openFifo({ dir: join(dir, 'facts') })
    return {
      samples,
      facts,
      close: async () => {
        await Promise.all([samples.close(), facts.close()])
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

const spoolsMax = 100

/**
 * Takes over what ended processes have left in the folders beside `own`: after processes that ran side by side there may
 * never again be as many, and nobody else would come there.
 */
async function takeStranded(wanted: string, own: string): Promise<void> {
  const siblings = (await readdir(dirname(wanted)).catch(() => []))
    .filter((name) => name === basename(wanted) || suffixOf(wanted, name) > 1)
    .map((name) => join(dirname(wanted), name))
  for (const dir of siblings.filter((sibling) => sibling !== own)) {
    const lock = await lockFile(join(dir, 'lock')).catch(() => undefined)
    if (lock === undefined || E.isLeft(lock)) continue
    try {
      for (const kind of ['samples', 'facts']) await moveInFront(join(dir, kind), join(own, kind))
    } catch {
      // It stays where it is, for the next one that opens a spool.
    } finally {
      lock.right.release()
    }
  }
}

const suffixOf = (wanted: string, name: string): number => {
  const start = `${basename(wanted)}-`
  const number = name.startsWith(start) ? name.slice(start.length) : ''
  return /^[1-9]\d*$/.test(number) ? Number(number) : 0
}

/** What a process leaves that is killed is sent by the next one that comes to its folder. */
async function firstFree(wanted: string): Promise<{ readonly dir: string; readonly lock: FileLock }> {
  for (let attempt = 1; attempt <= spoolsMax; attempt++) {
    const dir = attempt === 1 ? wanted : `${wanted}-${attempt}`
    const lock = await lockFile(join(dir, 'lock')).catch(spoolUnavailable(dir))
    if (E.isRight(lock)) return { dir, lock: lock.right }
  }
  return spoolUnavailable(wanted)(new Error(`${spoolsMax} processes use it already`))
}

/**
 * Whether a message may be lost when there is no room: a health sample is followed by the next one. What else a server
 * tells of itself (that it has joined, that it wants to be drained) is said once.
 */
export const isSample = (subject: string, data: unknown): boolean =>
  subject.startsWith('segue.health.') && (typeOf(data) ?? 'HealthSampled') === 'HealthSampled'

const typeOf = (data: unknown): unknown =>
  typeof data === 'object' && data !== null && 'type' in data ? data.type : undefined
