import { subjects, type TroubleReason } from '../../messaging/index.js'
import { factMessage, type PublishFact } from './facts.js'

/** Gathers what viewers say about servers that do not deliver. */
export interface Troubles {
  readonly report: (server: string, session: string, reason: TroubleReason) => void
  readonly close: () => void
}

export interface TroublesOptions {
  readonly edge: string
  readonly publishFact: PublishFact
  readonly nowMs: () => number
  readonly everyMs: number
}

interface Gathered {
  readonly sessions: Set<string>
  reason: TroubleReason
  readonly timer: NodeJS.Timeout
}

/** ViewersReportedTrouble to the named server's log: at once, then at most one in `everyMs` for each server. */
export function gatherTroubles(options: TroublesOptions): Troubles {
  const { edge, publishFact, nowMs, everyMs } = options
  const gathered = new Map<string, Gathered>()

  const publish = (server: string, sessions: number, reason: TroubleReason): void => {
    const at = nowMs()
    const payload = { type: 'ViewersReportedTrouble', data: { sessions, reason } } as const
    publishFact(subjects.health(server), factMessage(at, payload, edge, server))
  }

  const pauseOf = (server: string): NodeJS.Timeout =>
    setTimeout(() => {
      const { sessions, reason } = gathered.get(server) ?? { sessions: new Set(), reason: 'timeout' as const }
      gathered.delete(server)
      if (sessions.size === 0) return
      publish(server, sessions.size, reason)
      gathered.set(server, { sessions: new Set(), reason, timer: pauseOf(server) })
    }, everyMs).unref()

  return {
    report(server, session, reason) {
      const waiting = gathered.get(server)
      if (waiting !== undefined) {
        waiting.sessions.add(session)
        waiting.reason = reason
        return
      }
      publish(server, 1, reason)
      gathered.set(server, { sessions: new Set(), reason, timer: pauseOf(server) })
    },
    close() {
      for (const { timer } of gathered.values()) clearTimeout(timer)
      gathered.clear()
    },
  }
}
