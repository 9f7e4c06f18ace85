import type { PublishFact } from '../media/edge/index.js'
import type { MediaLogger } from '../media/encoder/index.js'
import type { FactMessage, Transport } from '../messaging/index.js'

/** Facts on their way to the broker. */
export interface FactQueue {
  readonly publish: PublishFact
  /** Resolves when nothing waits any more, or after `timeoutMs`. */
  readonly flush: (timeoutMs: number) => Promise<void>
  readonly close: () => void
}

const queuedFactsMax = 10_000
const republishMs = 250
const flushPollMs = 10

/** Publishes in order, each until it is stored. When too many wait, the oldest health sample goes first. */
export function createFactQueue(transport: Transport, logger: MediaLogger): FactQueue {
  const queue: Array<{ readonly subject: string; readonly fact: FactMessage }> = []
  let running = false
  let closed = false

  const run = async (): Promise<void> => {
    running = true
    for (let next = queue[0]; next !== undefined && !closed; next = queue[0]) {
      try {
        await transport.publish(next.subject, next.fact, { id: next.fact.id })
        if (queue[0] === next) queue.shift()
      } catch {
        await new Promise((resolve) => setTimeout(resolve, republishMs))
      }
    }
    running = false
  }

  return {
    publish(subject, fact) {
      if (closed) return
      queue.push({ subject, fact })
      if (queue.length > queuedFactsMax) {
        const sample = queue.findIndex((queued) => queued.fact.type === 'HealthSampled')
        const [dropped] = queue.splice(Math.max(0, sample), 1)
        logger.warn({ type: dropped?.fact.type }, 'a fact was dropped: the broker is away for too long')
      }
      if (!running) void run()
    },
    async flush(timeoutMs) {
      const untilMs = performance.now() + timeoutMs
      while (queue.length > 0 && performance.now() < untilMs) {
        await new Promise((resolve) => setTimeout(resolve, flushPollMs))
      }
    },
    close() {
      closed = true
    },
  }
}
