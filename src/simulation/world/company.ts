import type { EventIn } from '../../events/index.js'

type Part = 'primary' | 'standby' | 'target' | 'retiring'

/** Who has a part in one stream, by its log, or had one until lately. */
export class Company {
  readonly #nowMs: () => number
  readonly #parts = new Map<Part, string>()
  readonly #leftAtMs = new Map<string, number>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  onEvent(event: EventIn<'stream'>): void {
    switch (event.type) {
      case 'PlacementDecided':
      case 'RouteAdopted':
        return this.#set('primary', event.data.primary.id)
      case 'StandbyActivationOrdered':
        return this.#set('target', event.data.server.id)
      case 'StreamSwitched':
        this.#set('retiring', event.data.from.id)
        this.#set('primary', event.data.to.id)
        return this.#set('target', null)
      case 'StandbyAssigned':
        return this.#set('standby', event.data.server.id)
      case 'StandbyMissing':
        return this.#set('standby', null)
      case 'HandoverCompleted':
        return this.#set('retiring', null)
      case 'HandoverAborted':
        return this.#set('target', null)
      default:
    }
  }

  /** Whether a server has had a part at any time since this moment. */
  had(server: string, sinceMs: number): boolean {
    return [...this.#parts.values()].includes(server) || (this.#leftAtMs.get(server) ?? -Infinity) >= sinceMs
  }

  #set(part: Part, server: string | null): void {
    const before = this.#parts.get(part)
    if (before !== undefined) this.#leftAtMs.set(before, this.#nowMs())
    if (server === null) this.#parts.delete(part)
    else this.#parts.set(part, server)
  }
}
