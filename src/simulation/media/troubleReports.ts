import { subjects, type TroubleReason } from '../../messaging/index.js'
import type { EdgeOptions } from './edge.js'

const troubleEveryMs = 1_000

/** What viewers have to say against servers: at once, then at most one report in a second for each server. */
export class TroubleReports {
  readonly #options: Pick<EdgeOptions, 'server' | 'process' | 'wallMs' | 'publish'>
  readonly #waiting = new Map<string, { sessions: Set<string>; reason: TroubleReason }>()

  constructor(options: Pick<EdgeOptions, 'server' | 'process' | 'wallMs' | 'publish'>) {
    this.#options = options
  }

  tell(server: string, session: string, reason: TroubleReason): void {
    const waiting = this.#waiting.get(server)
    if (waiting !== undefined) {
      waiting.sessions.add(session)
      waiting.reason = reason
      return
    }
    this.#publish(server, 1, reason)
    this.#pause(server, reason)
  }

  #pause(server: string, reason: TroubleReason): void {
    this.#waiting.set(server, { sessions: new Set(), reason })
    this.#options.process.after(troubleEveryMs, () => {
      const gathered = this.#waiting.get(server)
      this.#waiting.delete(server)
      if (gathered === undefined || gathered.sessions.size === 0) return
      this.#publish(server, gathered.sessions.size, gathered.reason)
      this.#pause(server, gathered.reason)
    })
  }

  #publish(server: string, sessions: number, reason: TroubleReason): void {
    const { publish, wallMs, server: edge } = this.#options
    const identity = [edge, server]
    publish(subjects.health(server), { type: 'ViewersReportedTrouble', data: { sessions, reason } }, wallMs(), identity)
  }
}
