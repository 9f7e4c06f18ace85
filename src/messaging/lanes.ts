import type { Message } from './transport.js'

/** A message in our hands that the broker waits to have acknowledged. */
export interface Delivery {
  /** Tells messages of one log apart. */
  readonly key: string | number
  /**
   * When the broker stored it, as it says. The same key with another time is another message: the broker has lost its log
   * and counts anew.
   */
  readonly storedAt?: string
  readonly subject: string
  readonly data: unknown
  /** How often it was handed out before. */
  readonly redeliveries: number
  readonly acknowledge: () => void
  /** Tells the broker that we still work on it. */
  readonly extend: () => void
  /** Lets the broker hand it to somebody else, or to us later. */
  readonly giveBack: () => void
}

/** Runs `task` after a delay; the function returned cancels it. */
export type Schedule = (task: () => void, delayMs: number) => () => void

export const realSchedule: Schedule = (task, delayMs) => {
  if (delayMs === 0) {
    const soon = setImmediate(task)
    return () => clearImmediate(soon)
  }
  const timer = setTimeout(task, delayMs)
  return () => clearTimeout(timer)
}

export interface LanesOptions {
  readonly onMessage: (message: Message) => Promise<void>
  readonly schedule?: Schedule
  /** A handler that takes longer counts as failed, so that it cannot hold up its subject for ever. Default 30 000. */
  readonly handlerMsMax?: number
  /** How often to extend what we hold; default: never. */
  readonly extendEveryMs?: number
}

export interface Lanes {
  readonly take: (delivery: Delivery) => void
  /** What is held belongs to a log that is gone: it is still handled, but neither answered nor extended any more. */
  readonly disown: () => void
  /** Waits for handlers that are running (as long as they may), and gives back the rest. */
  readonly close: () => Promise<void>
}

const retryMsMin = 250
const retryMsMax = 5_000

/** The pause before the try that follows `failures` failed ones. */
export const retryDelayMs = (failures: number): number =>
  Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures - 1, 10))

/**
 * Hands messages to a handler: those of one subject one after the other, those of different subjects side by side. A
 * message whose handler rejects is kept and tried again after a pause, and its subject waits: what depends on order is
 * never handed out of order. The number of messages is bounded by the broker (`inFlightMax`).
 *
 * A message of a log that the broker has lost meanwhile is still handled, but not answered any more once another one has
 * its key: the answer would be taken for that one's.
 */
export function createLanes(options: LanesOptions): Lanes {
  const { schedule = realSchedule } = options
  const lanes = new Map<string, Delivery[]>()
  const held = new Map<Delivery['key'], Delivery>()
  const running = new Set<Promise<void>>()
  const wakeSleepers = new Set<() => void>()
  let closed = false
  const isCurrent = (delivery: Delivery) => held.get(delivery.key) === delivery
  const extending = extendWhileHeld(held, schedule, options.extendEveryMs)

  const sleep = (delayMs: number) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        wakeSleepers.delete(wake)
        cancel()
        resolve()
      }
      const cancel = schedule(wake, delayMs)
      wakeSleepers.add(wake)
    })

  const handle = async (delivery: Delivery): Promise<void> => {
    const { subject, data } = delivery
    for (let failures = 0; !closed;) {
      const redeliveries = delivery.redeliveries + failures
      try {
        await within(options.handlerMsMax ?? 30_000, schedule, () => options.onMessage({ subject, data, redeliveries }))
        if (isCurrent(delivery)) delivery.acknowledge()
        return
      } catch {
        failures += 1
        if (!closed) await sleep(retryDelayMs(failures))
      }
    }
    if (isCurrent(delivery)) delivery.giveBack()
  }

  const run = async (subject: string, lane: Delivery[]): Promise<void> => {
    for (let delivery = lane[0]; delivery !== undefined; delivery = lane[0]) {
      await handle(delivery)
      if (isCurrent(delivery)) held.delete(delivery.key)
      lane.shift()
    }
    lanes.delete(subject)
  }

  return {
    take: (delivery) => {
      if (closed) return delivery.giveBack()
      // Handed out again although we have it: the broker did not hear of us in time.
      const other = held.get(delivery.key)
      if (other !== undefined && other.storedAt === delivery.storedAt) return
      held.set(delivery.key, delivery)
      extending.begin()
      const lane = lanes.get(delivery.subject)
      if (lane !== undefined) return void lane.push(delivery)
      const created = [delivery]
      lanes.set(delivery.subject, created)
      const work = run(delivery.subject, created)
      running.add(work)
      void work.then(() => running.delete(work))
    },
    disown: () => held.clear(),
    close: async () => {
      closed = true
      for (const wake of [...wakeSleepers]) wake()
      await Promise.all(running)
      extending.stop()
    },
  }
}

/** Extends all that is held, again and again until nothing is. */
function extendWhileHeld(held: ReadonlyMap<unknown, Delivery>, schedule: Schedule, everyMs: number | undefined) {
  let cancel: (() => void) | null = null
  let stopped = false
  const begin = (): void => {
    if (everyMs === undefined || stopped || cancel !== null) return
    cancel = schedule(() => {
      cancel = null
      if (held.size === 0) return
      for (const delivery of held.values()) delivery.extend()
      begin()
    }, everyMs)
  }
  const stop = (): void => {
    stopped = true
    cancel?.()
    cancel = null
  }
  return { begin, stop }
}

/** Runs `work`; rejects when it has not ended in time. */
function within(msMax: number, schedule: Schedule, work: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = schedule(() => reject(new Error(`the handler has not ended within ${msMax} ms`)), msMax)
    const settle = (end: () => void) => {
      cancel()
      end()
    }
    const failed = (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error))))
    // A handler that throws at once is treated as one that rejects.
    try {
      work().then(() => settle(resolve), failed)
    } catch (error) {
      failed(error)
    }
  })
}
