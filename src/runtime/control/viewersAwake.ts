import type { Committed } from '../../actors/index.js'

export interface ViewerStatus {
  readonly session: string
  readonly stream: string
  readonly connected: boolean
}

/** Sessions whose actors are kept awake. */
const knownMax = 20_000

/** The viewers that are connected. The actors of others are let go of, and those of the quietest where there are too many. */
export class ViewersAwake {
  readonly #viewers = new Map<string, ViewerStatus>()
  readonly #letGo: (session: string) => void

  constructor(letGo: (session: string) => void) {
    this.#letGo = letGo
  }

  get list(): ReadonlyArray<ViewerStatus> {
    return [...this.#viewers.values()]
  }

  take({ entity, state }: Committed<'client'>): void {
    this.#viewers.delete(entity)
    if (state.edges.length > 0)
      this.#viewers.set(entity, { session: entity, stream: state.stream ?? '', connected: true })
    else this.#letGo(entity)
    if (this.#viewers.size > knownMax) this.#forget()
  }

  /** The one that nothing was heard of for longest. */
  #forget(): void {
    const [oldest] = this.#viewers.keys()
    if (oldest === undefined) return
    this.#viewers.delete(oldest)
    this.#letGo(oldest)
  }
}
