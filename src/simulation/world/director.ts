import type { EventIn } from '../../events/index.js'
import { coverageName, stepAfter, type Step } from '../coverage.js'
import { isOfServer, type FaultSpec, type FaultTarget } from '../faults.js'
import type { SimulatedMediaServer } from '../media/mediaServer.js'
import type { Episode } from '../scenario.js'
import { FaultPlayer } from './faultPlayer.js'
import type { World } from './world.js'

/** Who has which part in a stream, by the log. */
interface Cast {
  primary: string | null
  standby: string | null
  target: string | null
  retiring: string | null
  underWay: boolean
}

interface Stage {
  readonly stream: string
  readonly episodes: ReadonlyArray<Episode>
  readonly cast: Cast
  /** Where its handover stands. */
  step: Step
  alarmedUntilMs: number
  next: number
  armed: FaultSpec[]
  playing: boolean
  done: boolean
}

const fenceTriesMs = [100, 700]
const episodeMsMax = 14_000
const noHandoverMsMax = 3_000
/** The second of two adjoining windows; and how long after a window has ended a server is looked at. */
const nextWindowMs = 1_500
const afterWindowMs = 50
/** An alarm has led to a handover by then, or leads to none. */
const predictionMsMax = 1_000

/** Plays the scenario: on each stream one episode after the other, with its faults at their cues. */
export class Director {
  readonly #world: World
  readonly #faults: FaultPlayer
  readonly #stages: ReadonlyArray<Stage>
  /** Maintenance that was planned. */
  readonly #windows: { readonly server: string; readonly window: string }[] = []

  constructor(world: World) {
    this.#world = world
    this.#faults = new FaultPlayer(world)
    this.#stages = world.scenario.streams.map((stream) => ({
      stream,
      episodes: world.scenario.episodes.filter((episode) => episode.stream === stream),
      cast: { primary: null, standby: null, target: null, retiring: null, underWay: false },
      step: 'none',
      alarmedUntilMs: -Infinity,
      next: 0,
      armed: [],
      playing: false,
      done: false,
    }))
  }

  get isDone(): boolean {
    return this.#stages.every((stage) => stage.done)
  }

  start(afterMs: number): void {
    const { time, scenario } = this.#world
    for (const stage of this.#stages) time.after(afterMs, () => this.#advance(stage))
    if (scenario.sampleEveryMs > 0) this.#sample(scenario.sampleEveryMs)
  }

  heal(): void {
    this.#faults.heal()
    for (const { server, window } of this.#windows.splice(0)) {
      this.#ask('server', server, 'MaintenanceCancelled', { window })
    }
  }

  onEvent(stream: string, event: EventIn<'stream'>): void {
    const stage = this.#stages.find((each) => each.stream === stream)
    if (stage === undefined) return
    this.#recast(stream, stage.cast, event)
    stage.step = stepAfter(stage.step, event)
    const cued = stage.armed.filter((fault) => fault.on === event.type)
    if (cued.length > 0) {
      stage.armed = stage.armed.filter((fault) => fault.on !== event.type)
      for (const fault of cued) this.#cue(stage, fault)
    }
    const ended = event.type === 'HandoverCompleted' || event.type === 'HandoverAborted'
    if (ended && stage.playing) this.#world.time.after(0, () => this.#end(stage))
  }

  #recast(stream: string, cast: Cast, event: EventIn<'stream'>): void {
    switch (event.type) {
      case 'PlacementDecided':
      case 'RouteAdopted':
        cast.primary = event.data.primary.id
        return
      case 'HandoverStarted':
        cast.target = event.data.to.id
        cast.underWay = true
        return
      case 'StandbyActivationOrdered':
        cast.target = event.data.server.id
        return
      case 'StreamSwitched':
        cast.primary = event.data.to.id
        cast.retiring = event.data.from.id
        this.#tryFence(stream, event.data.from.id, event.data.cutover)
        return
      case 'StandbyAssigned':
        cast.standby = event.data.server.id
        return
      case 'HandoverCompleted':
      case 'HandoverAborted':
        cast.underWay = false
        cast.target = null
        return
      default:
        return
    }
  }

  /** Somebody who has not heard of the switch asks the old primary. */
  #tryFence(stream: string, server: string, cutover: number): void {
    for (const afterMs of fenceTriesMs) {
      this.#world.time.after(afterMs, () => this.#world.ask(server, stream, cutover))
    }
  }

  #advance(stage: Stage): void {
    const episode = stage.episodes[stage.next]
    if (episode === undefined) {
      stage.done = true
      return
    }
    this.#world.time.after(episode.gapMs, () => this.#play(stage, episode))
  }

  #play(stage: Stage, episode: Episode): void {
    const { time } = this.#world
    const number = stage.next
    stage.next += 1
    stage.playing = true
    stage.armed = episode.faults.filter((fault) => fault.on !== 'start')
    this.#world.note(() => `-- ${stage.stream}: episode ${number + 1}, ${episode.cause}`)
    for (const fault of episode.faults) if (fault.on === 'start') this.#cue(stage, fault)
    this.#begin(stage, episode)
    const stillThis = (): boolean => stage.playing && stage.next === number + 1
    time.after(noHandoverMsMax, () => {
      if (stillThis() && !stage.cast.underWay) this.#end(stage)
    })
    time.after(episodeMsMax, () => {
      if (stillThis()) this.#end(stage)
    })
  }

  #end(stage: Stage): void {
    if (!stage.playing) return
    stage.playing = false
    stage.armed = []
    this.#advance(stage)
  }

  #cue(stage: Stage, fault: FaultSpec): void {
    this.#world.time.after(fault.delayMs, () => {
      const { server, part } = this.#find(stage, fault.target)
      if (!this.#faults.befalls(fault, stage.stream, server)) return
      const befallen = isOfServer(fault.kind) ? part : null
      this.#world.coverage.count(coverageName(fault.kind, befallen), this.#stepOf(stage))
      this.#faults.play(fault, stage.stream, server)
    })
  }

  /** An alarm under way is a step before the log knows of it. */
  #stepOf({ step, alarmedUntilMs }: Stage): Step {
    return step === 'none' && this.#world.time.now() < alarmedUntilMs ? 'prediction' : step
  }

  /** The server with this part; when nobody has it, the standby or the primary. */
  #find({ cast }: Stage, target: FaultTarget): { readonly server: string | null; readonly part: FaultTarget } {
    const { primary, standby, retiring } = cast
    const other =
      this.#world.servers.find(({ id }) => id !== primary && id !== standby && id !== cast.target)?.id ?? null
    const parts = { primary, standby, retiring, other, target: cast.target ?? standby }
    if (parts[target] !== null) return { server: parts[target], part: target }
    return standby === null ? { server: primary, part: 'primary' } : { server: standby, part: 'standby' }
  }

  #begin(stage: Stage, { cause, afterMs }: Episode): void {
    const { stream, cast } = stage
    const { time } = this.#world
    const { primary } = cast
    const server = primary === null ? undefined : this.#world.server(primary)
    if (primary === null || server === undefined) return
    const request = { cause: 'operator', server: primary, reference: null, target: null, requestedBy: 'director' }
    switch (cause) {
      case 'operator':
        return this.#ask('stream', stream, 'HandoverRequested', request)
      case 'abort':
        this.#ask('stream', stream, 'HandoverRequested', request)
        time.after(afterMs, () => this.#ask('stream', stream, 'HandoverWithdrawn', changedMind))
        return
      case 'drain':
        server.drain('director')
        time.after(afterMs + 2_000, () => server.cancelDrain('director'))
        return
      case 'maintenance':
        return this.#maintain(server, `${stream}${stage.next}`, afterMs)
      case 'prediction':
        stage.alarmedUntilMs = time.now() + predictionMsMax
        this.#faults.alarm(server, afterMs, true)
        return
      case 'alarm':
        stage.alarmedUntilMs = time.now() + predictionMsMax
        this.#faults.alarm(server, afterMs, false)
        return
      case 'crash':
        return this.#faults.crashServer(server, afterMs)
      case 'hang':
        return this.#faults.hangServer(server, afterMs)
      case 'leave':
        server.leave('director')
        time.after(60, () => this.#world.disturbed(`${server.id} leaves`))
        time.after(afterMs + 100, () => this.#faults.startServer(server))
        return
    }
  }

  /** Two windows without a pause between them, the first of which is open at once. Its end is seen by a sample. */
  #maintain(server: SimulatedMediaServer, name: string, lengthMs: number): void {
    const { time, controls } = this.#world
    const from = Math.round(time.now() + (controls[0]?.skewMs ?? 0))
    const between = from + lengthMs
    for (const [window, opens, until] of [
      [`${name}-1`, from, between],
      [`${name}-2`, between, between + nextWindowMs],
    ] as const) {
      this.#windows.push({ server: server.id, window })
      this.#ask('server', server.id, 'MaintenanceScheduled', { window, from: opens, until, reason: 'planned' })
      time.after(until - from + afterWindowMs, () => server.sample(0))
    }
  }

  /** As an operator does: again, when nobody answers. */
  #ask(category: 'stream' | 'server', entity: string, type: string, data: unknown, triesLeft = 10): void {
    if (triesLeft === 0 || this.#world.controls.some((control) => control.tell(category, entity, type, data))) return
    this.#world.time.after(300, () => this.#ask(category, entity, type, data, triesLeft - 1))
  }

  #sample(everyMs: number): void {
    if (this.isDone) return
    for (const server of this.#world.servers) server.sample(0)
    this.#world.time.after(everyMs, () => this.#sample(everyMs))
  }
}

const changedMind = { reference: null, reason: 'changed mind', requestedBy: 'director' }
