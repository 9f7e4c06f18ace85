// The log as another process sees it while it is written.
import { openSqliteStore } from '../../dist/events/stores/sqlite/index.js'

const pollEveryMs = 8

/** Follows a log from its first event on. What was seen is kept, to be held against the log later. */
export async function followLog(path) {
  const store = await openSqliteStore({ path, readOnly: true, pollEveryMs })
  const events = []
  const waiting = new Set()
  let failure = null
  const subscription = store.subscribe({
    onEvent: (event) => {
      events.push(event)
      for (const wait of waiting) if (wait.wanted(event)) wait.resolve(event)
    },
    onError: (error) => {
      failure = error
      for (const wait of waiting) wait.reject(error)
    },
  })
  /** The first event after those seen now for which this holds. */
  const next = (wanted, what, timeoutMs = 30_000) => {
    if (failure !== null) return Promise.reject(failure)
    return new Promise((resolve, reject) => {
      const done = (settle) => (value) => {
        clearTimeout(timer)
        waiting.delete(wait)
        settle(value)
      }
      const wait = { wanted, resolve: done(resolve), reject: done(reject) }
      const timer = setTimeout(() => wait.reject(new Error(`no ${what} in the log within ${timeoutMs} ms`)), timeoutMs)
      waiting.add(wait)
    })
  }
  return {
    events,
    next,
    nextOf: (type, timeoutMs) => next((event) => event.type === type, type, timeoutMs),
    /** The whole log as it stands now. */
    read: async () => {
      const all = []
      for await (const event of store.readAll()) all.push(event)
      return all
    },
    close: async () => {
      await subscription.close()
      await store.close()
    },
  }
}
