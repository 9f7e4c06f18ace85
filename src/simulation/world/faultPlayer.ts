import { isCutting, isOfServer, type FaultSpec } from '../faults.js'
import { numberAt } from '../media/format.js'
import type { SimulatedMediaServer } from '../media/mediaServer.js'
import type { SimulatedControlPlane } from './controlPlane.js'
import { linksOf } from './links.js'
import { lateFor } from './storeClient.js'
import type { World } from './world.js'

const alarmEveryMs = 150
/** Bad samples until a window is alarmed, more when it has seen good ones before; and good ones until it is calm. */
const alarmSamples = { fresh: 3, seasoned: 4 }
const calmSamples = 4

/** Long enough to be noticed, both times. */
const relapseAfterMs = 600
const relapseMs = 4_000
const relapseWithinMs = 100

/** Makes things go wrong, and right again. */
export class FaultPlayer {
  readonly #world: World
  readonly #cuts: { readonly from: string; readonly to: string }[] = []
  #healed = false

  constructor(world: World) {
    this.#world = world
  }

  /** Whether there is anything that the fault can befall. */
  befalls({ kind }: FaultSpec, stream: string, target: string | null): boolean {
    if (this.#healed) return false
    const { audience, broker, ingests, servers } = this.#world
    if (isOfServer(kind)) {
      const running = servers.some(({ id, process }) => id === target && process.isRunning())
      return running && (kind !== 'partition-viewer' || audience.seats.length > 0)
    }
    switch (kind) {
      case 'crash-control':
      case 'hang-control':
      case 'clock-step':
        return this.#someControl() !== undefined
      case 'crash-broker':
      case 'hang-broker':
        return broker.process.isRunning()
      case 'crash-ingest':
      case 'hang-ingest':
        return ingests.get(stream)?.process.isRunning() === true
      case 'crash-viewer':
      case 'hang-viewer':
        return audience.seats.some((seat) => seat.stream === stream && seat.process.isRunning())
      default:
        return true
    }
  }

  play(fault: FaultSpec, stream: string, target: string | null): void {
    if (!this.befalls(fault, stream, target)) return
    const world = this.#world
    const { time, store, broker } = world
    const { durationMs, kind } = fault
    const server = target === null ? undefined : world.server(target)
    world.disturbed(`${kind} ${target ?? ''} ${durationMs}`)
    const later = (end: () => void): void => {
      time.after(durationMs, () => {
        end()
        world.disturbed(`${kind} over`)
      })
    }
    switch (kind) {
      case 'crash-control':
        return this.#crashControl(durationMs)
      case 'hang-control': {
        const control = this.#someControl()
        control?.hang()
        return later(() => control?.resume())
      }
      case 'several-controls': {
        const second = world.controls[1]
        second?.start()
        return later(() => second?.crash())
      }
      case 'clock-step': {
        const control = this.#someControl()
        if (control !== undefined) control.skewMs += (durationMs % 2 === 0 ? 1 : -1) * Math.min(2_000, durationMs)
        return
      }
      case 'crash-broker':
        broker.crash()
        return later(() => broker.start())
      case 'hang-broker':
        broker.hang()
        return later(() => broker.resume())
      case 'store-conflict':
      case 'store-unknown':
      case 'store-late':
      case 'store-crash':
      case 'store-slow':
        if (fault.append === null) return
        store.faults.push(fault.append)
        return world.delayed(lateFor(fault.append))
      case 'store-away':
        world.setStoreAway(true)
        return later(() => world.setStoreAway(false))
      case 'crash-ingest': {
        const ingest = world.ingests.get(stream)
        for (const { id } of world.servers) world.impaired(id)
        ingest?.crash()
        return later(() => ingest?.start())
      }
      case 'hang-ingest': {
        const ingest = world.ingests.get(stream)
        for (const { id } of world.servers) world.impaired(id)
        ingest?.hang()
        return later(() => ingest?.resume())
      }
      case 'crash-viewer':
        return this.#someViewer(stream, (viewer) => world.audience.crash(viewer, durationMs))
      case 'hang-viewer':
        return this.#someViewer(stream, (viewer) => {
          world.impaired(viewer)
          world.audience.hang(viewer)
          later(() => {
            world.impaired(viewer)
            world.audience.resume(viewer)
          })
        })
      case 'abort':
        for (const control of world.controls) {
          if (control.tell('stream', stream, 'HandoverWithdrawn', operatorsAbort)) break
        }
        return
      default:
        if (server !== undefined) this.#playAt(server, fault)
    }
  }

  #playAt(server: SimulatedMediaServer, { kind, durationMs }: FaultSpec): void {
    const world = this.#world
    const { time } = world
    if (isCutting(kind)) world.impaired(server.id)
    switch (kind) {
      case 'wrong-alarm':
        return this.alarm(server, durationMs, false)
      case 'late-alarm':
        // It comes while the server already dies.
        this.alarm(server, durationMs, false)
        time.after(alarmEveryMs + (durationMs % (4 * alarmEveryMs)), () => this.crashServer(server, durationMs))
        return
      case 'slow-disk':
        server.disk.writeMs = durationMs % 2 === 0 ? 200 : 1_500
        time.after(durationMs, () => {
          server.disk.writeMs = 0
        })
        return
      case 'crash-server':
        return this.crashServer(server, durationMs)
      case 'hang-server':
        return this.hangServer(server, durationMs)
      case 'flap-server':
        for (let round = 0; round < 4; round += 1) {
          time.after(round * (400 + durationMs / 4), () => this.crashServer(server, 150 + durationMs / 8))
        }
        return
      case 'relapse-server': {
        // Its next process joins, and is gone before anybody has heard or asked it.
        const awayMs = relapseAfterMs + durationMs / 4
        this.crashServer(server, awayMs)
        time.after(awayMs + (durationMs % relapseWithinMs), () => this.crashServer(server, relapseMs + durationMs / 4))
        return
      }
      case 'broken-encoder':
        world.brokenNext.set(server.id, { left: 1 + (durationMs % 2), how: durationMs % 3 === 0 ? 'mute' : 'ends' })
        return
      case 'slow-server':
        world.slow.add(server.id)
        time.after(durationMs, () => world.slow.delete(server.id))
        return
      case 'partition-control':
      case 'partition-peer':
      case 'partition-viewer':
      case 'asymmetric':
        return this.#cut(durationMs, linksOf(kind, server.id, durationMs, world))
      default:
        return
    }
  }

  crashServer(server: SimulatedMediaServer, awayMs: number): void {
    if (this.#healed || server.process.state === 'down') return
    server.crash()
    this.#world.disturbed(`crash ${server.id}`)
    this.#world.time.after(awayMs, () => this.startServer(server))
  }

  startServer(server: SimulatedMediaServer): void {
    this.#world.startServer(server)
    this.#world.disturbed(`start ${server.id}`)
  }

  hangServer(server: SimulatedMediaServer, hungMs: number): void {
    if (this.#healed || !server.process.isRunning()) return
    const { life } = server.process
    const fromMs = this.#world.time.now()
    server.process.hang()
    this.#world.hung(server.id)
    this.#world.disturbed(`hang ${server.id}`)
    // What was asked meanwhile waits in its sockets, and is the first that it sees when it wakes up.
    for (const share of [0.5, 0.95]) {
      this.#world.time.after(hungMs * share, () => {
        const number = numberAt(this.#world.time.now()) - 1
        for (const stream of this.#world.scenario.streams) this.#world.ask(server.id, stream, number)
      })
    }
    this.#world.time.after(hungMs, () => {
      if (server.process.life === life) this.#wake(server, fromMs)
    })
  }

  /** Health goes bad, and after a while well again; `right`: the server fails then, as was predicted. */
  alarm(server: SimulatedMediaServer, clearsMs: number, right: boolean): void {
    const { time } = this.#world
    const window = server.samplesTaken === 0 ? 'fresh' : 'seasoned'
    for (let index = 0; index < alarmSamples[window]; index += 1) {
      time.after(index * alarmEveryMs, () => server.sample(0.9 + 0.02 * index))
    }
    time.after(alarmSamples[window] * alarmEveryMs + clearsMs, () => {
      if (right && clearsMs % 2 === 0) return this.crashServer(server, 2_000)
      for (let index = 0; index < calmSamples; index += 1) {
        time.after(index * alarmEveryMs, () => server.sample(0))
      }
    })
  }

  /** Everything works again, for good. */
  heal(): void {
    this.#healed = true
    const { network, broker, store, controls, servers, ingests, audience, brokenNext, slow } = this.#world
    for (const { from, to } of this.#cuts.splice(0)) network.mend(from, to)
    Object.assign(network.weather, { loss: 0, duplication: 0, reordering: 0 })
    this.#world.setStoreAway(false)
    store.faults.length = 0
    store.brokenReads.length = 0
    brokenNext.clear()
    slow.clear()
    broker.resume()
    broker.start()
    for (const ingest of ingests.values()) {
      ingest.resume()
      ingest.start()
    }
    for (const { id } of audience.seats) audience.resume(id)
    for (const control of controls) control.resume()
    controls[1]?.crash()
    controls[0]?.start()
    for (const server of servers) {
      server.disk.writeMs = 0
      if (server.process.state === 'hung') this.#wake(server, this.#world.time.now())
      server.cancelDrain('director')
      this.#world.startServer(server)
      // As they do all the time: it also tells a control plane what others have recorded of the server meanwhile.
      server.sample(0)
    }
    this.#world.disturbed('all heals')
  }

  #wake(server: SimulatedMediaServer, fromMs: number): void {
    this.#world.awoke(server.id, fromMs)
    server.resume()
    this.#world.disturbed(`awake ${server.id}`)
  }

  #someControl(): SimulatedControlPlane | undefined {
    return this.#world.controls.find(({ process }) => process.isRunning())
  }

  #crashControl(awayMs: number): void {
    const control = this.#someControl()
    control?.crash()
    this.#world.time.after(awayMs, () => {
      control?.start()
      this.#world.disturbed('control starts')
    })
  }

  #someViewer(stream: string, befall: (viewer: string) => void): void {
    const seat = this.#world.audience.seats.find((each) => each.stream === stream && each.process.isRunning())
    if (seat !== undefined) befall(seat.id)
  }

  #cut(durationMs: number, links: ReadonlyArray<readonly [string, string]>): void {
    const { network, time } = this.#world
    const cuts = links.filter(([from, to]) => from !== to).map(([from, to]) => ({ from, to }))
    for (const { from, to } of cuts) network.cut(from, to)
    this.#cuts.push(...cuts)
    time.after(durationMs, () => {
      for (const cut of cuts) {
        const index = this.#cuts.indexOf(cut)
        if (index === -1) continue
        this.#cuts.splice(index, 1)
        network.mend(cut.from, cut.to)
      }
      this.#world.disturbed('a partition mends')
    })
  }
}

const operatorsAbort = { reference: null, reason: 'aborted by the director', requestedBy: 'director' }
