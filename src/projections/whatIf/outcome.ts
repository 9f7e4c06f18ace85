import type { EventIn } from '../../events/index.js'

/** A prediction from its beginning to its end, as decided by some rules. Unix milliseconds. */
export interface Alarm {
  readonly server: string
  readonly at: number
  /** When it was resolved; null: not yet. */
  readonly endedAt: number | null
  readonly outcome: 'confirmed' | 'unconfirmed' | 'open'
  readonly leadMs: number | null
  readonly score: number
  /** Streams that the server carried as primary then: what a handover would have moved. */
  readonly streams: ReadonlyArray<string>
}

export interface Failure {
  readonly server: string
  readonly at: number
  /** The first sign of it. */
  readonly firstSignalAt: number
  readonly streams: ReadonlyArray<string>
}

/** Collects alarms and failures of one server from its decisions. */
export class Outcomes {
  readonly #server: string
  readonly #carried: (server: string) => ReadonlyArray<string>
  readonly alarms: Alarm[] = []
  readonly failures: Failure[] = []

  /** @param carried the streams whose primary a server is at this moment of the log. */
  constructor(server: string, carried: (server: string) => ReadonlyArray<string>) {
    this.#server = server
    this.#carried = carried
  }

  take(event: EventIn<'server'>): void {
    const at = event.metadata.occurredAt
    const server = this.#server
    if (event.type === 'InstabilityPredicted') {
      const alarm = {
        server,
        at,
        endedAt: null,
        outcome: 'open' as const,
        leadMs: null,
        score: event.data.score,
      }
      this.alarms.push({ ...alarm, streams: this.#carried(server) })
    } else if (event.type === 'PredictionResolved') {
      const last = this.alarms.pop()
      if (last !== undefined) this.alarms.push({ ...last, ...event.data, server, endedAt: at })
    } else if (event.type === 'ServerFailed') {
      const { firstSignalAt } = event.data
      this.failures.push({
        server,
        at,
        firstSignalAt,
        streams: this.#carried(server),
      })
    }
  }
}
