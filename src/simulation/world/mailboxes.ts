import type { Mailbox, Mailboxes } from '../../actors/index.js'

/** Mailboxes without an actor system behind them: jobs run one after the other, in the order in which they came. */
export const createSimulatedMailboxes = (): Mailboxes => ({
  open: (_group, _name, onEmpty) => openMailbox(onEmpty),
  close: () => undefined,
})

const settled = Promise.resolve()

function openMailbox(onEmpty: () => void): Mailbox {
  const jobs: (() => void)[] = []
  let waiting = 0
  let busy = false
  const next = (): void => {
    const job = jobs.shift()
    busy = job !== undefined
    job?.()
  }
  return {
    waiting: () => waiting,
    stop: () => undefined,
    post: <Result>(job: () => Promise<Result>): Promise<Result> =>
      new Promise((resolve, reject) => {
        const ended = (settle: () => void): void => {
          waiting -= 1
          settle()
          if (waiting === 0) onEmpty()
          next()
        }
        waiting += 1
        jobs.push(() => {
          job().then(
            (result) => ended(() => resolve(result)),
            (error: unknown) => ended(() => reject(error instanceof Error ? error : new Error(String(error)))),
          )
        })
        if (busy) return
        busy = true
        void settled.then(next)
      }),
  }
}
