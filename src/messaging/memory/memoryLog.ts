import { duplicateWindowMs, subjectMatches, type DurableLog } from '../durableLogs.js'
import { createLanes, type Schedule } from '../lanes.js'
import type { ConsumeOptions, Unsubscribe } from '../transport.js'

export interface MemoryLog {
  /** Stores a message unless its id was stored within the duplicate window. */
  readonly append: (subject: string, text: string, id: string) => void
  /** Begins to deliver to a handler, from where the durable name has got to. */
  readonly bind: (options: ConsumeOptions) => Unsubscribe
  /** While paused nothing is delivered. */
  readonly setPaused: (paused: boolean) => void
}

interface Stored {
  readonly sequence: number
  readonly subject: string
  readonly text: string
  readonly atMs: number
}

/** What the broker remembers of a durable name, whether or not somebody listens. */
interface Position {
  /** Everything up to here was handed out. */
  handedOut: number
  /** Handed out, not acknowledged, and with nobody now; in order. */
  returned: Stored[]
  /** Handed out before and not acknowledged: how often. */
  readonly deliveries: Map<number, number>
}

export function createMemoryLog(limits: DurableLog, schedule: Schedule, now: () => number): MemoryLog {
  let stored: Stored[] = []
  let bytes = 0
  let lastSequence = 0
  let paused = false
  const idsSeen = new Map<string, number>()
  const positions = new Map<string, Position>()
  const wakeAll = new Set<() => void>()

  const forgetOld = () => {
    const nowMs = now()
    for (const [id, atMs] of idsSeen) {
      if (nowMs - atMs <= duplicateWindowMs) break
      idsSeen.delete(id)
    }
    let drop = 0
    for (const message of stored) {
      if (bytes <= limits.bytesMax && nowMs - message.atMs <= limits.ageMsMax) break
      bytes -= message.text.length
      drop += 1
    }
    if (drop > 0) stored = stored.slice(drop)
  }

  const append = (subject: string, text: string, id: string) => {
    forgetOld()
    if (idsSeen.has(id)) return
    const atMs = now()
    idsSeen.set(id, atMs)
    lastSequence += 1
    stored.push({ sequence: lastSequence, subject, text, atMs })
    bytes += text.length
    for (const wake of wakeAll) wake()
  }

  const nextFor = (position: Position, pattern: string): Stored | undefined => {
    const returned = position.returned.shift()
    if (returned !== undefined) return returned
    const firstSequence = stored[0]?.sequence ?? lastSequence + 1
    for (let index = Math.max(0, position.handedOut + 1 - firstSequence); index < stored.length; index += 1) {
      const message = stored[index]
      if (message === undefined) break
      position.handedOut = message.sequence
      if (subjectMatches(pattern, message.subject)) return message
    }
    return undefined
  }

  const bind = ({ durable, subject: pattern, inFlightMax, onMessage }: ConsumeOptions): Unsubscribe => {
    const position: Position = positions.get(durable) ?? { handedOut: 0, returned: [], deliveries: new Map() }
    positions.set(durable, position)
    const lanes = createLanes({ onMessage, schedule })
    let inFlight = 0
    let closed = false

    const handOut = (message: Stored) => {
      const redeliveries = position.deliveries.get(message.sequence) ?? 0
      position.deliveries.set(message.sequence, redeliveries + 1)
      inFlight += 1
      lanes.take({
        key: message.sequence,
        subject: message.subject,
        data: JSON.parse(message.text),
        redeliveries,
        extend: () => {},
        acknowledge: () => {
          inFlight -= 1
          position.deliveries.delete(message.sequence)
          wake()
        },
        giveBack: () => {
          inFlight -= 1
          position.returned.push(message)
          position.returned.sort((a, b) => a.sequence - b.sequence)
          for (const wakeOther of wakeAll) wakeOther()
        },
      })
    }
    let awake = false
    const wake = () => {
      if (awake || closed) return
      awake = true
      schedule(() => {
        awake = false
        while (!closed && !paused && inFlight < inFlightMax) {
          const message = nextFor(position, pattern)
          if (message === undefined) return
          handOut(message)
        }
      }, 0)
    }
    wakeAll.add(wake)
    wake()
    return {
      close: async () => {
        closed = true
        wakeAll.delete(wake)
        await lanes.close()
      },
    }
  }

  return {
    append,
    bind,
    setPaused: (value) => {
      paused = value
      if (!paused) for (const wake of wakeAll) wake()
    },
  }
}
