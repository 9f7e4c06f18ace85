import type { Payload, ViewerTotals } from '../../events/index.js'
import type { Random } from '../world/random.js'
import type { Actors } from './actors.js'
import type { Agenda } from './agenda.js'

const segmentsPerMs = 1 / 320

interface Viewer {
  readonly session: string
  readonly stream: string
  readonly since: number
  edge: string
  stalls: number
  stallMs: number
}

/** Made-up viewers who come, watch for some minutes and leave. */
export class Viewers {
  readonly #agenda: Agenda
  readonly #actors: Actors
  readonly #random: Random
  readonly #mark: string
  readonly #watching = new Map<string, Viewer>()
  #arrived = 0

  constructor(agenda: Agenda, actors: Actors, random: Random, mark: string) {
    this.#agenda = agenda
    this.#actors = actors
    this.#random = random
    this.#mark = mark
  }

  of(stream: string): ReadonlyArray<Viewer> {
    return [...this.#watching.values()].filter((viewer) => viewer.stream === stream)
  }

  countAt(server: string): number {
    let count = 0
    for (const { edge } of this.#watching.values()) count += edge === server ? 1 : 0
    return count
  }

  /** Keeps a place in front of a screen occupied: somebody comes, and somebody else when that one has left. */
  occupy(stream: string): void {
    const primary = this.#actors.stream(stream).route?.primary.id
    if (primary === undefined) return this.#agenda.plan(this.#agenda.now + 5_000, () => this.occupy(stream))
    const session = `viewer-${(this.#arrived += 1)}-${this.#mark}`
    const viewer: Viewer = { session, stream, since: this.#agenda.now, edge: primary, stalls: 0, stallMs: 0 }
    this.#watching.set(session, viewer)
    const agent = this.#random.pick(['segue-page/0.1', 'segue-node/0.1', 'segue-tv/0.1'])
    this.#tell(viewer, {
      type: 'ClientConnected',
      data: { session, stream, edge: primary, epochKnown: null, agent },
    })
    this.#agenda.plan(this.#agenda.now + this.#random.between(120_000, 900_000), () => {
      const data = { edge: viewer.edge, reason: 'stopped', totals: this.#totalsOf(viewer) }
      this.#tell(viewer, { type: 'ClientLeft', data })
      this.#watching.delete(session)
      this.#agenda.plan(this.#agenda.now + this.#random.between(1_000, 60_000), () => this.occupy(stream))
    })
  }

  /** A cut-over is announced to all viewers of a stream; answers how many acknowledged. */
  announce(stream: string, edge: string, notice: { epoch: number; cutover: number; sequence: number }): number {
    let acknowledged = 0
    for (const viewer of this.of(stream)) {
      this.#tell(viewer, { type: 'ClientNotified', data: { edge, ...notice } })
      if (this.#random.chance(0.03)) continue
      acknowledged += 1
      const elapsedMs = Math.round(this.#random.between(3, 40))
      this.#tell(viewer, { type: 'ClientAcknowledged', data: { edge, ...notice, elapsedMs } })
    }
    return acknowledged
  }

  /** All viewers of a stream go to another server; answers what they measured. */
  moveTo(stream: string, server: string, epoch: number, cutover: number, stallChance: number): Moved {
    const moved = { sessions: 0, stalls: 0, stallMsMax: 0 }
    for (const viewer of this.of(stream)) {
      const stalled = this.#random.chance(stallChance)
      const stallMs = stalled ? Math.round(this.#random.between(40, 900)) : 0
      viewer.edge = server
      viewer.stalls += stalled ? 1 : 0
      viewer.stallMs += stallMs
      moved.sessions += 1
      moved.stalls += stalled ? 1 : 0
      moved.stallMsMax = Math.max(moved.stallMsMax, stallMs)
      if (stalled) this.#tell(viewer, { type: 'ClientStalled', data: { edge: server, number: cutover, stallMs } })
      const switched = { edge: server, epoch, cutover, server, firstNumber: cutover }
      const measured = { gaps: 0, duplicates: 0, hashMismatches: 0, stalls: stalled ? 1 : 0, stallMs }
      this.#tell(viewer, { type: 'ClientSwitched', data: { ...switched, ...measured } })
    }
    return moved
  }

  #totalsOf({ since, stalls, stallMs }: Viewer): ViewerTotals {
    return {
      segments: Math.floor((this.#agenda.now - since) * segmentsPerMs),
      ...{ gaps: 0, duplicates: 0, hashMismatches: 0, stalls, stallMs },
      bufferMsMax: Math.round(this.#random.between(1_800, 3_200)),
      latencyMs: 1_500,
    }
  }

  #tell({ session }: Viewer, payload: Payload<'client'>): void {
    this.#actors.tell('client', session, payload)
  }
}

export interface Moved {
  readonly sessions: number
  readonly stalls: number
  readonly stallMsMax: number
}
