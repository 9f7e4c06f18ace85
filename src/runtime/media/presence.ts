import type { Coordinates } from '../../events/index.js'
import { factMessage, type PublishFact } from '../../media/edge/index.js'
import { subjects, type Heartbeat, type Transport } from '../../messaging/index.js'

export interface PresenceOptions {
  readonly transport: Transport
  readonly publishFact: PublishFact
  readonly self: Pick<Heartbeat, 'server' | 'bootId' | 'url'>
  readonly startedAt: number
  readonly memoryLimitBytes: number | null
  readonly capacityStreams: number
  readonly location: Coordinates | null
  readonly heartbeatMs: number
}

export interface Presence {
  /** The control plane takes another boot for the present one: an introduction of it came late. Says who is here. */
  readonly correct: () => void
  readonly leave: (reason: string) => void
}

/** So often a mistaken control plane is corrected at the most. */
export const correctEveryMs = 1_000

/** Lets the fleet know that this server is there: joins (again after each reconnection), beats, and says goodbye. */
export function announcePresence(options: PresenceOptions): Presence {
  const { transport, publishFact, self, startedAt, memoryLimitBytes, capacityStreams, location, heartbeatMs } = options
  const { server, bootId } = self
  const data = { ...self, memoryLimitBytes, capacityStreams, startedAt, location }
  const introduction = { type: 'ServerJoined', data } as const
  const joined = factMessage(startedAt, introduction, server, bootId)
  let present = true
  let seq = 0
  let correctedAt = -Infinity

  publishFact(subjects.health(server), joined)
  transport.onState((state) => {
    // The control plane may be another one than before, with nothing in its memory.
    if (state === 'connected' && present) publishFact(subjects.health(server), joined)
  })
  const timer = setInterval(() => {
    const heartbeat: Heartbeat = { ...self, seq, sentAt: Date.now(), everyMs: heartbeatMs }
    seq += 1
    transport.broadcast(subjects.heartbeat(server), heartbeat)
  }, heartbeatMs)

  return {
    correct() {
      const now = Date.now()
      if (!present || Math.abs(now - correctedAt) < correctEveryMs) return
      correctedAt = now
      // Under a new id: the first introduction has been recorded, so a repetition of it would say nothing new.
      publishFact(subjects.health(server), factMessage(now, introduction, server, bootId, 'again'))
    },
    leave(reason) {
      present = false
      clearInterval(timer)
      const left = { type: 'ServerLeft', data: { bootId, reason } } as const
      publishFact(subjects.health(server), factMessage(Date.now(), left, server, bootId))
    },
  }
}
