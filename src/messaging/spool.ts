import { join } from 'node:path'
import { openFifo, type Fifo } from './fifo.js'

export interface SpoolOptions {
  /** Folder of this process alone; made when missing. */
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
export async function createSpool({ dir, bytesMax = 64 * 1_048_576 }: SpoolOptions): Promise<Spool> {
  const samples = await openFifo({ dir: join(dir, 'samples'), bytesMax })
  const facts = await openFifo({ dir: join(dir, 'facts') })
  return {
    samples,
    facts,
    close: async () => {
      await Promise.all([samples.close(), facts.close()])
    },
  }
}

/**
 * Whether a message may be lost when there is no room: a health sample is followed by the next one. What else a server
 * tells of itself (that it has joined, that it wants to be drained) is said once.
 */
export const isSample = (subject: string, data: unknown): boolean =>
  subject.startsWith('segue.health.') && (typeOf(data) ?? 'HealthSampled') === 'HealthSampled'

const typeOf = (data: unknown): unknown =>
  typeof data === 'object' && data !== null && 'type' in data ? data.type : undefined
