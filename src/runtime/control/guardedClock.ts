import type { Clock } from '../../actors/index.js'

/** A clock whose timers warn when they fail: what is thrown in a bare timer would end the process. */
export const guardedClock = ({ now, after }: Clock, warn: (message: string) => void): Clock => ({
  now,
  after: (delayMs, action) =>
    after(delayMs, () => {
      try {
        action()
      } catch (error) {
        warn(`a timer failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      }
    }),
})
