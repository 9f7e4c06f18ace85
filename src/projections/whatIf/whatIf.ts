import * as E from 'fp-ts/lib/Either.js'
import { deciders, stateAfterCut, type Decider, type ServerState } from '../../actors/index.js'
import { decodeEvent, parseStreamId, type EventIn, type RecordedEvent, type ServerPolicy } from '../../events/index.js'
import type { ArchivedPart } from '../replay.js'
import { compare, type Comparison } from './compare.js'
import { Outcomes, type Alarm, type Failure } from './outcome.js'

/** Other rules to ask about. What is left out stays as it was recorded. */
export interface Alternative {
  readonly name: string
  readonly policy: Partial<ServerPolicy>
  /** A model that the log has activated somewhere. */
  readonly model?: {
    readonly model: string
    readonly weights: Readonly<Record<string, number>>
    readonly artifact: string | null
  }
}

export interface WhatIfResult {
  /** Times of the first and the last event of servers and streams, Unix milliseconds; null where there is none. */
  readonly from: number | null
  readonly until: number | null
  readonly samples: number
  readonly servers: ReadonlyArray<string>
  /** Servers whose beginnings are archived: every alternative begins there with the state as it was recorded. */
  readonly archived: ReadonlyArray<ArchivedPart>
  /** What was recorded, compared with itself. */
  readonly recorded: Comparison & { readonly alarms: ReadonlyArray<Alarm> }
  readonly failures: ReadonlyArray<Failure>
  readonly alternatives: ReadonlyArray<
    Comparison & {
      readonly name: string
      readonly alarms: ReadonlyArray<Alarm>
    }
  >
  /** Scores of each server under the first alternative, thinned out, for timelines. */
  readonly scores: ReadonlyMap<string, ReadonlyArray<readonly [number, number]>>
}

interface Branch {
  readonly alternative: Alternative
  readonly outcomes: Outcomes
  state: ServerState
}

interface Server {
  readonly recorded: Outcomes
  readonly branches: ReadonlyArray<Branch>
  readonly scores: [number, number][]
}

/** The log has a server's events from the middle on, without the state that a signed cut leaves there. */
export class BeginningMissing extends Error {
  readonly _tag = 'BeginningMissing'
}

/** Points of a timeline; more do not show. */
const scoresMax = 1_200

/**
 * Runs the recorded facts of every server through the rules in force under each alternative, side by side, in one pass.
 * The facts stay as they were recorded, also behind a handover that the alternative would not have made, or would have
 * made before: what a server did once it had been left says little about what it would have done otherwise.
 *
 * @throws BeginningMissing
 */
export async function whatIf(
  events: AsyncIterable<RecordedEvent>,
  alternatives: ReadonlyArray<Alternative>,
  decider: Decider<'server', ServerState> = deciders.server,
  statesAt: StatesAt = () => undefined,
): Promise<WhatIfResult> {
  const run = new Run(alternatives, decider, statesAt)
  for await (const event of events) run.take(event)
  return run.result()
}

/** The states that a cut has left of a stream that begins with this revision, by version of the rules. */
type StatesAt = (streamId: string, revision: number) => unknown

class Run {
  readonly #statesAt: StatesAt
  readonly #archived: ArchivedPart[] = []
  readonly #alternatives: ReadonlyArray<Alternative>
  readonly #decider: Decider<'server', ServerState>
  readonly #servers = new Map<string, Server>()
  readonly #primaries = new Map<string, string>()
  #from = Infinity
  #until = -Infinity
  #samples = 0

  constructor(alternatives: ReadonlyArray<Alternative>, decider: Decider<'server', ServerState>, statesAt: StatesAt) {
    this.#statesAt = statesAt
    this.#alternatives = alternatives
    this.#decider = decider
  }

  take(recorded: RecordedEvent): void {
    const name = parseStreamId(recorded.streamId)
    if (name === null || name.category === 'client') return
    const { occurredAt } = recorded.metadata
    this.#from = Math.min(this.#from, occurredAt)
    this.#until = Math.max(this.#until, occurredAt)
    if (name.category === 'stream') return this.#follow(name.entity, recorded)
    const decoded = decodeEvent('server', recorded)
    if (E.isLeft(decoded)) return
    const server = this.#serverOf(name.entity, recorded)
    const event = decoded.right
    if (event.metadata.kind === 'decision') return server.recorded.take(event)
    if (event.type === 'HealthSampled') this.#samples += 1
    for (const branch of server.branches) this.#advance(branch, event)
    const first = server.branches[0]?.state.assessment
    if (event.type === 'HealthSampled' && first !== null && first !== undefined) {
      server.scores.push([occurredAt, first.score])
      if (server.scores.length > scoresMax * 2) thin(server.scores)
    }
  }

  result(): WhatIfResult {
    const servers = [...this.#servers.values()]
    const failures = servers.flatMap(({ recorded }) => recorded.failures).toSorted((a, b) => a.at - b.at)
    const recorded = servers.flatMap((server) => server.recorded.alarms).toSorted((a, b) => a.at - b.at)
    const spanMs = this.#until < this.#from ? null : this.#until - this.#from
    return {
      from: spanMs === null ? null : this.#from,
      until: spanMs === null ? null : this.#until,
      samples: this.#samples,
      servers: [...this.#servers.keys()].toSorted(),
      archived: this.#archived,
      recorded: {
        ...compare(recorded, recorded, failures, spanMs ?? 0),
        alarms: recorded,
      },
      failures,
      alternatives: this.#alternatives.map(({ name }, index) => {
        const alarms = servers
          .flatMap(({ branches }) => branches[index]?.outcomes.alarms ?? [])
          .toSorted((a, b) => a.at - b.at)
        return { name, ...compare(recorded, alarms, failures, spanMs ?? 0), alarms }
      }),
      scores: new Map([...this.#servers].map(([name, { scores }]) => [name, scores])),
    }
  }

  #advance(branch: Branch, recorded: EventIn<'server'>): void {
    const fact = underAlternative(recorded, branch.alternative)
    const { evolve, decide } = this.#decider
    branch.state = evolve(branch.state, fact)
    for (const decision of decide(branch.state, fact)) {
      branch.state = evolve(branch.state, decision)
      branch.outcomes.take(decision)
    }
  }

  /** Who carries which stream, as it was: that is what a handover would have moved. */
  #follow(stream: string, { type, data }: RecordedEvent): void {
    const { primary, to } = data as {
      readonly primary?: { readonly id: string }
      readonly to?: { readonly id: string }
    }
    if ((type === 'PlacementDecided' || type === 'RouteAdopted') && primary !== undefined)
      this.#primaries.set(stream, primary.id)
    if (type === 'StreamSwitched' && to !== undefined) this.#primaries.set(stream, to.id)
  }

  #serverOf(id: string, { streamId, revision }: RecordedEvent): Server {
    const known = this.#servers.get(id)
    if (known !== undefined) return known
    const carried = (server: string): ReadonlyArray<string> =>
      [...this.#primaries].filter(([, primary]) => primary === server).map(([stream]) => stream)
    const recorded = revision === 0 ? undefined : this.#stateBefore(id, streamId, revision)
    if (recorded !== undefined) this.#archived.push({ streamId, before: revision })
    const branches = this.#alternatives.map((alternative): Branch => {
      const initial = recorded ?? this.#decider.initial(id)
      const policy = { ...initial.policy, ...alternative.policy }
      const state = { ...initial, policy, ...(alternative.model ?? {}) }
      return { alternative, outcomes: new Outcomes(id, carried), state }
    })
    const server: Server = {
      recorded: new Outcomes(id, carried),
      branches,
      scores: [],
    }
    this.#servers.set(id, server)
    return server
  }

  #stateBefore(id: string, streamId: string, revision: number): ServerState {
    const state = stateAfterCut(this.#decider, id, this.#statesAt(streamId, revision))
    if (state !== undefined) return state
    throw new BeginningMissing(
      `${streamId} begins with event ${revision}, and the log does not say what was before: give the archive, or a whole copy of the log`,
    )
  }
}

function underAlternative(fact: EventIn<'server'>, { policy, model }: Alternative): EventIn<'server'> {
  if (fact.type === 'PolicyChanged') return { ...fact, data: { policy: { ...fact.data.policy, ...policy } } }
  if (fact.type === 'ModelActivated' && model !== undefined) return { ...fact, data: { ...fact.data, ...model } }
  return fact
}

/** Keeps the lowest of each two neighbours: dips are what a timeline is looked at for. */
function thin(scores: [number, number][]): void {
  const kept = scores.filter((point, index) => {
    const other = scores[index % 2 === 0 ? index + 1 : index - 1]
    return other === undefined || point[1] < other[1] || (point[1] === other[1] && index % 2 === 0)
  })
  scores.splice(0, scores.length, ...kept)
}
