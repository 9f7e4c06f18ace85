import { factMessage, type PublishFact } from '../../media/edge/index.js'
import { subjects, type Heartbeat, type Transport } from '../../messaging/index.js'

export interface PresenceOptions {
  readonly transport: Transport
  readonly publishFact: PublishFact
  readonly self: Pick<Heartbeat, 'server' | 'bootId' | 'url'>
  readonly startedAt: number
  readonly memoryLimitBytes: number | null
  readonly capacityStreams: number
  readonly heartbeatMs: number
}

/** Lets the fleet know that this server is there: joins (again after each reconnection), beats, and says goodbye. */
export function announcePresence(options: PresenceOptions): { readonly leave: (reason: string) => void } {
  const { transport, publishFact, self, startedAt, memoryLimitBytes, capacityStreams, heartbeatMs } = options
  const { server, bootId } = self
  const data = { ...self, memoryLimitBytes, capacityStreams, startedAt }
  const joined = factMessage(startedAt, { type: 'ServerJoined', data }, server, bootId)
  let present = true
  let seq = 0

  publishFact(subjects.health(server), joined)
  transport.onState((state) => {
    // The control plane may be another one than before, with nothing in its memory.
    if (state === 'connected' && present) publishFact(subjects.health(server), joined)
  })
  const timer = setInterval(() => {
    const heartbeat: Heartbeat = { ...self, seq, sentAt: Date.now() }
    seq += 1
    transport.broadcast(subjects.heartbeat(server), heartbeat)
  }, heartbeatMs)

  return {
    leave(reason) {
      present = false
      clearInterval(timer)
      const left = { type: 'ServerLeft', data: { bootId, reason } } as const
      publishFact(subjects.health(server), factMessage(Date.now(), left, server, bootId))
    },
  }
}
