import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { lockFile, type FileLock } from '../events/stores/sqlite/lockFile.js'
import { openFifo, spoolUnavailable, type Fifo } from './fifo.js'

export interface SpoolOptions {
  /** Made when missing. While another spool has it open, even of another process, `<dir>-2` is taken, and so on. */
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
