import type { HttpAnswer } from '../../client/index.js'
import type { Manifest, Route } from '../../messaging/index.js'
import { initBytes, segmentBytes } from './bytes.js'
import { json, type Exchange } from './exchange.js'
import { segmentMs, simulatedFormat } from './format.js'
import type { SimulatedStation } from './station.js'

/** A segment that left a server for a viewer. `epoch` is what the answer claims, null when it names none. */
export interface Served {
  readonly server: string
  readonly stream: string
  readonly number: number
  readonly epoch: number | null
  readonly isPrimary: boolean
  /** The newest route that this server has been told. */
  readonly told: Route | null
}

export interface OriginOptions {
  readonly server: string
  readonly url: string
  readonly stationOf: (stream: string) => SimulatedStation | undefined
  readonly routeOf: (stream: string) => Route | null
  readonly session: (stream: string, answer: (document: unknown) => void) => void
  readonly isDraining: () => boolean
  readonly after: (delayMs: number, action: () => void) => () => void
  readonly fenceless: boolean
  readonly onServed: (served: Served) => void
}

interface Waiting {
  readonly exchange: Exchange
  readonly track: 'video' | 'audio'
  readonly number: number
}

const streamsAt = '/streams/'.length
const aheadMax = 4
const behindMax = 2
const waitMsMax = 2 * segmentMs + 1_000

/** What a server answers to viewers: the rules of media/origin. */
export class SimulatedOrigin {
  readonly #options: OriginOptions
  readonly #waiting = new Map<SimulatedStation, Waiting[]>()

  constructor(options: OriginOptions) {
    this.#options = options
  }

  handle(exchange: Exchange): void {
    const { path } = exchange
    if (path === '/readyz') return exchange.answer(json(this.#options.isDraining() ? 503 : 200, {}))
    // /streams/<stream>/<video or audio>/<number>.m4s, or /streams/<stream>/<document>
    const end = path.indexOf('/', streamsAt)
    const stream = path.slice(streamsAt, end)
    if (path.endsWith('.m4s')) {
      const track = path.startsWith('audio', end + 1) ? 'audio' : 'video'
      return this.#segment(exchange, stream, track, Number(path.slice(path.lastIndexOf('/') + 1, -4)))
    }
    const [first = ''] = path.slice(end + 1).split('/')
    if (first === 'session') {
      return this.#options.session(stream, (document) =>
        exchange.answer(document === null ? json(503, { error: 'no-session' }) : json(200, document)),
      )
    }
    const station = this.#options.stationOf(stream)
    if (station === undefined) return exchange.answer(json(404, { error: 'unknown-stream' }))
    if (first === 'manifest.json') return exchange.answer(json(200, this.#manifest(station)))
    if (station.buffer.live === null) return exchange.answer(json(404, { error: 'not-yet' }))
    const bytes = first === 'init.mp4' ? initBytes.combined : first === 'audio' ? initBytes.audio : initBytes.video
    return exchange.answer({ status: 200, headers: {}, body: bytes })
  }

  /** Numbers have come: whoever waits for them gets them. */
  numbersCame(station: SimulatedStation): void {
    const waiting = this.#waiting.get(station)
    if (waiting === undefined || waiting.length === 0) return
    const left = waiting.filter((each) => !each.exchange.isOver() && !this.#answerNow(station, each, false))
    this.#waiting.set(station, left)
  }

  #segment(exchange: Exchange, stream: string, track: 'video' | 'audio', number: number): void {
    const station = this.#options.stationOf(stream)
    if (station === undefined) {
      const route = this.#options.routeOf(stream)
      const { server } = this.#options
      const named = route?.primary.id === server || route?.standby?.id === server
      const fenced = route !== null && number >= route.cutover && !named
      return exchange.answer(fenced ? fencedAnswer(route) : json(404, { error: 'unknown-stream' }))
    }
    const barred = this.#bar(station, number)
    if (barred !== null) return exchange.answer(barred)
    station.onViewerRequest(number)
    const waiting: Waiting = { exchange, track, number }
    if (this.#answerNow(station, waiting, true)) return
    const list = this.#waiting.get(station) ?? []
    this.#waiting.set(station, list)
    list.push(waiting)
    this.#options.after(waitMsMax, () => this.#expire(station, waiting))
  }

  #expire(station: SimulatedStation, waiting: Waiting): void {
    const list = this.#waiting.get(station) ?? []
    if (!list.includes(waiting)) return
    this.#waiting.set(
      station,
      list.filter((each) => each !== waiting),
    )
    if (waiting.exchange.isOver()) return
    waiting.exchange.answer(this.#bar(station, waiting.number) ?? json(404, { error: 'not-yet' }))
  }

  /** True when it was answered. `fresh`: it has just been asked. */
  #answerNow(station: SimulatedStation, { exchange, track, number }: Waiting, fresh: boolean): boolean {
    const held = station.buffer.get(number)
    if (held === undefined) {
      if (!fresh) return false
      const refusal = this.#refusal(station, number)
      if (refusal !== null) exchange.answer(refusal)
      return refusal !== null
    }
    const barred = this.#bar(station, number)
    exchange.answer(barred ?? this.#deliver(station, number, track, held.variant))
    return true
  }

  #refusal(station: SimulatedStation, number: number): HttpAnswer | null {
    const { live } = station.buffer
    const finished = station.assignment.role === 'retired' && station.encoder === null
    if (finished || (live !== null && number < live - behindMax)) return json(404, { error: 'gone' })
    return live !== null && number > live + aheadMax ? json(404, { error: 'not-yet' }) : null
  }

  #bar(station: SimulatedStation, number: number): HttpAnswer | null {
    if (this.#options.fenceless) return null
    const verdict = station.routes.verdict(number)
    if (verdict._tag === 'Fenced') return fencedAnswer(verdict.route)
    return station.authority.of(number) === 'unconfirmed' ? json(503, { error: 'authority-unconfirmed' }) : null
  }

  #deliver(station: SimulatedStation, number: number, track: 'video' | 'audio', variant: number): HttpAnswer {
    const verdict = station.routes.verdict(number)
    const claimed = verdict._tag === 'Serve' ? verdict.epoch : (station.routes.current()?.epoch ?? null)
    const epoch = station.authority.of(number) === 'confirmed' ? claimed : null
    const { server, onServed } = this.#options
    const told = station.routes.current()
    const isPrimary = station.assignment.role === 'primary'
    onServed({ server, stream: station.stream, number, epoch, isPrimary, told })
    const { bytes, sha256 } = segmentBytes(number, track, variant)
    const etag = `"${sha256}"`
    const headers = epoch === null ? { etag } : { etag, 'segue-epoch': String(epoch) }
    return { status: 200, headers, body: bytes }
  }

  #manifest(station: SimulatedStation): Manifest {
    const promise = (number: number, track: 'video' | 'audio', variant: number) => {
      const { bytes, sha256 } = segmentBytes(number, track, variant)
      return { sha256, bytes: bytes.length }
    }
    const { buffer, assignment } = station
    return {
      stream: station.stream,
      server: this.#options.server,
      role: assignment.role,
      epoch: station.routes.current()?.epoch ?? null,
      segmentTicks: simulatedFormat.segmentTicks,
      live: buffer.live,
      oldest: buffer.oldest,
      encoding: station.encoder !== null,
      init: null,
      segments: buffer.segments().map(({ number, origin, verified, variant }) => ({
        number,
        video: promise(number, 'video', variant),
        audio: promise(number, 'audio', variant),
        others: {},
        origin,
        verified,
      })),
    }
  }
}

const fencedAnswer = (route: Route): HttpAnswer =>
  json(421, { error: 'fenced', epoch: route.epoch, cutover: route.cutover, primary: route.primary })
