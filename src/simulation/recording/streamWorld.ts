import {
  defaultStreamPolicy,
  type DeadlineStep,
  type Payload,
  type StitchResult,
  type StreamFormat,
} from '../../events/index.js'
import type { Assignment, Task } from '../../messaging/index.js'
import type { Told } from './actors.js'
import type { World } from './chapter.js'

const format: StreamFormat = {
  frameRate: { num: 25, den: 1 },
  gopFrames: 8,
  segmentTicks: 28_800,
  width: null,
  height: 720,
  crf: 28,
  preset: 'veryfast',
  sampleRate: 48_000,
  channels: 2,
  renditions: [],
  audioOnly: false,
  sounds: [],
}
const segmentMs = format.segmentTicks / 90
const stallChancePlanned = 0.002
const stallChanceEmergency = 0.15

/** What streams want of the world, and how the world answers: servers that do as they are told, some time later. */
export class StreamWorld {
  readonly #world: World
  readonly #done = new Set<string>()
  readonly #carried = new Map<string, string>()

  constructor(world: World) {
    this.#world = world
  }

  /** Streams whose primary the server is. */
  carriedBy(server: string): number {
    let count = 0
    for (const primary of this.#carried.values()) count += primary === server ? 1 : 0
    return count
  }

  open(stream: string): void {
    this.tell(stream, { type: 'PolicyChanged', data: { policy: defaultStreamPolicy } })
    this.showFleet(stream)
    const feedUrl = 'http://ingest.example:7100'
    this.tell(stream, { type: 'StreamOpened', data: { stream, run: `run-${stream}`, format, feedUrl } })
  }

  showFleet(stream: string): void {
    this.tell(stream, { type: 'FleetObserved', data: { servers: this.#world.fleet() } })
  }

  tell(stream: string, payload: Payload<'stream'>, once: { name?: string; causationId?: string } = {}): void {
    const told = this.#world.actors.tell('stream', stream, payload, once)
    if (told === null) return
    this.#notice(stream, told)
    for (const wish of this.#world.actors.wishesOf('stream', stream)) {
      if (wish.type === 'assign') this.#assign(stream, wish.assignment)
      if (wish.type === 'deadline') this.#await(stream, wish)
    }
    const primary = this.#world.actors.stream(stream).route?.primary.id
    if (primary !== undefined) this.#carried.set(stream, primary)
  }

  #await(stream: string, { key, at, step }: { key: string; at: number; step: DeadlineStep }): void {
    if (!this.#isNew(`deadline/${stream}/${key}/${at}`)) return
    this.#world.agenda.plan(at, () => {
      const wishes = this.#world.actors.wishesOf('stream', stream)
      if (!wishes.some((wish) => wish.type === 'deadline' && wish.key === key && wish.at === at)) return
      this.tell(stream, { type: 'DeadlinePassed', data: { deadline: key, step } })
    })
  }

  #assign(stream: string, { server, tasks }: Assignment): void {
    for (const task of tasks) {
      if (this.#isNew(`task/${task.order}/${server}`)) this.#perform(stream, server, task)
    }
  }

  #perform(stream: string, server: string, task: Task): void {
    const { random } = this.#world
    switch (task.type) {
      case 'synchronize':
        return this.#report(server, stream, random.between(300, 1_200), () => ({
          type: 'BufferSynchronized',
          data: {
            order: task.order,
            server,
            result: this.#stitched(),
            elapsedMs: Math.round(random.between(200, 900)),
          },
        }))
      case 'activate':
        return this.#activate(stream, server, task.order)
      case 'cutover': {
        const at = Math.max(this.#world.agenda.now + 60, (task.cutover + 1) * segmentMs + random.between(10, 60))
        return this.#report(server, stream, at - this.#world.agenda.now, () => ({
          type: 'CutoverReached',
          data: { epoch: task.epoch, server, number: task.cutover, reachedAt: this.#world.agenda.now },
        }))
      }
      case 'drain':
        return this.#report(server, stream, random.between(1_000, 2_500), () => ({
          type: 'PrimaryDrained',
          data: { epoch: task.epoch, server, requestsServed: random.whole(40), forced: false, elapsedMs: 1_500 },
        }))
    }
  }

  #activate(stream: string, server: string, order: string): void {
    const { random } = this.#world
    if (this.#world.slowOrders > 0) {
      this.#world.slowOrders -= 1
      const reason = 'the encoder ended with status 1: cannot allocate memory'
      return this.#report(server, stream, 300, () => ({
        type: 'StepFailed',
        data: { order, server, step: 'activate', reason },
      }))
    }
    const activeAfterMs = random.between(180, 900)
    this.#report(server, stream, activeAfterMs, () => ({
      type: 'StandbyActivated',
      data: { order, server, liveNumber: this.#live(), elapsedMs: Math.round(activeAfterMs) },
    }))
    this.#report(server, stream, activeAfterMs + random.between(5, 120), () => ({
      type: 'BufferStitched',
      data: {
        ...{ order, server, result: this.#stitched(), liveNumber: this.#live() },
        primaryLiveNumber: this.#isAlive(this.#world.actors.stream(stream).route?.primary.id) ? this.#live() : null,
        elapsedMs: Math.round(activeAfterMs + 20),
      },
    }))
  }

  /** What viewers and their edges have to say about what was just decided. */
  #notice(stream: string, { events }: Told): void {
    const { agenda, random, viewers } = this.#world
    for (const event of events) {
      if (event.type === 'CutoverChosen') {
        const { epoch, cutover, to } = event.data
        agenda.plan(agenda.now + random.between(10, 40), () => {
          const { sequence } = this.#world.actors.stream(stream)
          const sessions = viewers.of(stream).length
          const acknowledged = viewers.announce(stream, to.id, { epoch, cutover, sequence })
          const data = { epoch, edge: to.id, sessions, acknowledged, elapsedMs: Math.round(random.between(4, 40)) }
          this.tell(stream, { type: 'ClientsNotified', data })
        })
      } else if (event.type === 'StreamSwitched') {
        const { epoch, cutover, to } = event.data
        const isEmergency = this.#world.actors.stream(stream).handover?.emergency === true
        agenda.plan(agenda.now + random.between(300, 900), () => {
          const chance = isEmergency ? stallChanceEmergency : stallChancePlanned
          const moved = viewers.moveTo(stream, to.id, epoch, cutover, chance)
          const data = { epoch, edge: to.id, gaps: 0, duplicates: 0, hashMismatches: 0, ...moved }
          this.tell(stream, { type: 'ViewersMeasured', data })
        })
      }
    }
  }

  /** A server reports what it did, if it still lives then. */
  #report(server: string, stream: string, afterMs: number, fact: () => Payload<'stream'>): void {
    const bootId = this.#world.serverNamed(server)?.bootId
    this.#world.agenda.plan(this.#world.agenda.now + Math.round(afterMs), () => {
      if (this.#isAlive(server) && this.#world.serverNamed(server)?.bootId === bootId) this.tell(stream, fact())
    })
  }

  #isAlive = (server: string | undefined): boolean =>
    server !== undefined && this.#world.serverNamed(server)?.isAlive === true

  #live = (): number => Math.floor(this.#world.agenda.now / segmentMs) - 1

  #stitched(): StitchResult {
    const last = this.#live()
    const hash = (track: string, number: number) => `${track}${number}`.padStart(64, '0')
    const hashes = Array.from({ length: 16 }, (_, index) => last - 15 + index).map((number) => ({
      number,
      video: hash('a', number),
      audio: hash('b', number),
      others: [],
    }))
    const copied = this.#world.random.chance(0.2) ? 2 : 0
    const counts = { verified: 16 - copied, copied, different: 0, unverified: 0 }
    return { first: last - 15, last, ...counts, initIdentical: true, hashes }
  }

  #isNew(name: string): boolean {
    if (this.#done.has(name)) return false
    this.#done.add(name)
    return true
  }
}
