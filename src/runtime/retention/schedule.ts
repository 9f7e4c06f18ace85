import type { Clock } from '../../actors/index.js'
import { eventsOf, runRetention, type RetentionOptions } from './run.js'

export interface ScheduleOptions extends Omit<RetentionOptions, 'now' | 'onArchived' | 'isStopping'> {
  readonly clock: Clock
  readonly logger: { readonly info: (message: string) => void; readonly warn: (message: string) => void }
  /** Milliseconds between two runs; default: an hour, or less where less is kept. */
  readonly everyMs?: number
}

export interface Retention {
  /** Gives up the archive that is being written; ends behind one that is being cut off. */
  readonly close: () => Promise<void>
}

const everyMsDefault = 3_600_000

/** Archives now, and from time to time. What goes wrong is told, and tried again the next time. */
export function scheduleRetention({ clock, logger, everyMs, ...options }: ScheduleOptions): Retention {
  const pauseMs = everyMs ?? Math.min(everyMsDefault, options.olderThanMs)
  let stopping = false
  let cancel = (): void => undefined
  let running = Promise.resolve()
  const run = async (): Promise<void> => {
    try {
      await runRetention({
        ...options,
        now: clock.now,
        isStopping: () => stopping,
        onArchived: ({ description: { name, streams } }) =>
          logger.info(`retention: archived ${eventsOf(streams)} events of ${streams.length} servers as ${name}`),
      })
    } catch (error) {
      logger.warn(`retention: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (!stopping) cancel = clock.after(pauseMs, start)
  }
  const start = (): void => void (running = run())
  start()
  return {
    close: async () => {
      stopping = true
      cancel()
      await running
    },
  }
}
