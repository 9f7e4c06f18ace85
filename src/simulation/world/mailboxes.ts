import type { Mailbox, Mailboxes } from '../../actors/index.js'

/** Mailboxes without an actor system behind them: jobs run one after the other, in the order in which they came. */
export const createSimulatedMailboxes = (): Mailboxes => ({ open: () => openMailbox(), close: () => undefined })

function openMailbox(): Mailbox {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return {
    waiting: () => waiting,
    stop: () => undefined,
    post<Result>(job: () => Promise<Result>): Promise<Result> {
      waiting += 1
      const run = (): Promise<Result> =>
        job().finally(() => {
          waiting -= 1
        })
      const result = last.then(run, run)
      last = result
      // Who posted handles the rejection; the next job only waits for the end.
      result.catch(() => undefined)
      return result
    },
  }
}
