import { Session } from 'node:inspector'

interface Attached {
  readonly sessionId: string
  readonly workerInfo: { readonly url: string }
}

/** Ends those worker threads of this process whose file fits, as a crash of theirs would. Answers how many. */
export async function endThreads(fits: (url: string) => boolean): Promise<number> {
  const session = new Session()
  session.connect()
  const attached: Attached[] = []
  session.on('NodeWorker.attachedToWorker', (message: { readonly params: object }) => {
    attached.push(message.params as Attached)
  })
  try {
    await post(session, 'NodeWorker.enable', { waitForDebuggerOnStart: false })
    const threads = attached.filter(({ workerInfo }) => fits(workerInfo.url))
    for (const { sessionId } of threads) {
      const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: 'process.exit(1)' } })
      await post(session, 'NodeWorker.sendMessageToWorker', { sessionId, message })
    }
    return threads.length
  } finally {
    session.disconnect()
  }
}

const post = (session: Session, method: string, params: object): Promise<void> =>
  new Promise((resolve, reject) => {
    session.post(method, params, (error: Error | null) => (error === null ? resolve() : reject(error)))
  })
