import * as E from 'fp-ts/lib/Either.js'
import { ruleBook, ruleOf, type Decider } from '../../actors/index.js'
import {
  canonicalJson,
  decodeEvent,
  parseStreamId,
  streamIdOf,
  type Category,
  type EventIn,
  type Factor,
  type SegmentHashes,
} from '../../events/index.js'
import { recordHandover, type HandoverHistory, type HandoverRecord } from '../handovers.js'
import { entityOf, type DossierProof, type StreamPart } from './records.js'

/** One of the seven steps of a handover; times in milliseconds from the request. */
export interface StepView {
  readonly name: string
  readonly atMs: number | null
  readonly detail: string
}

export interface SampleView {
  /** Milliseconds from the request. */
  readonly atMs: number
  readonly memoryRatio: number | null
  readonly cpuCores: number
  readonly eventLoopMs: number
  readonly latenessMs: number | null
}

export interface PredictionView {
  readonly atMs: number
  readonly score: number
  readonly threshold: number
  readonly risk: number
  readonly horizonMs: number
  readonly timeToLimitMs: number | null
  readonly model: string
  readonly factors: ReadonlyArray<Factor>
}

type Hashes = Pick<SegmentHashes, 'video' | 'audio' | 'others'>

export interface SegmentView {
  readonly number: number
  readonly epoch: 'old' | 'new'
  /** By server: SHA-256 of the tracks of this number, as they were reported. */
  readonly servers: ReadonlyArray<{ readonly server: string } & Hashes>
  readonly identical: boolean
}

export interface ViewerView {
  readonly session: string
  readonly acknowledgedMs: number | null
  readonly firstNumber: number | null
  /** This and what follows: null when the file does not hold what the viewer measured. */
  readonly gaps: number | null
  readonly duplicates: number | null
  readonly hashMismatches: number | null
  readonly stalls: number | null
  readonly stallMs: number | null
  readonly verdict: string | null
}

export interface DossierView {
  readonly record: HandoverRecord | null
  readonly steps: ReadonlyArray<StepView>
  readonly prediction: PredictionView | null
  /** Scores that were recorded, in time. */
  readonly assessments: ReadonlyArray<{ readonly atMs: number; readonly score: number; readonly band: string }>
  readonly samples: ReadonlyArray<SampleView>
  readonly segments: ReadonlyArray<SegmentView>
  readonly viewers: ReadonlyArray<ViewerView>
  /** Decisions of the stream derived again from its facts; null where the file does not hold it from its beginning. */
  readonly replay: {
    readonly decisions: number
    readonly identical: boolean
    readonly versions: ReadonlyArray<number>
  } | null
}

const segmentsAround = 6

/** Everything that a dossier tells, from its proven events alone. Pure. */
export function viewOf(proof: DossierProof): DossierView {
  const part = (category: Category): ReadonlyArray<StreamPart> =>
    proof.parts.filter(({ stream }) => parseStreamId(stream)?.category === category)
  const own = streamIdOf('stream', entityOf(proof.handover))
  const main = proof.parts.find(({ stream }) => stream === own)
  const events = main === undefined ? [] : eventsOf('stream', main)
  const record = recordOf(main, events, proof.handover)
  const zero = record?.requestedAt ?? 0
  const ofHandover = events.filter(
    (event) => event.metadata.correlationId === proof.handover || event.type === 'ViewersMeasured',
  )
  const origin = part('server').find(({ stream }) => parseStreamId(stream)?.entity === record?.from.id)
  const health = origin === undefined ? [] : eventsOf('server', origin)
  const alarm = alarmOf(health, events, proof.handover)
  return {
    record,
    steps: stepsOf(ofHandover, alarm, record, zero),
    prediction: predictionOf(alarm, zero),
    assessments: health.flatMap((event) =>
      event.type === 'StabilityAssessed'
        ? [{ atMs: event.metadata.occurredAt - zero, score: event.data.score, band: event.data.band }]
        : [],
    ),
    samples: health.flatMap((event) => (event.type === 'HealthSampled' ? [sampleOf(event, zero)] : [])),
    segments: segmentsOf(events, record),
    viewers: part('client').map((each) => viewerOf(each, record?.epoch ?? -1)),
    replay: main === undefined ? null : replayOf(main, record?.outcome === 'under-way'),
  }
}

function eventsOf<C extends Category>(category: C, { events }: StreamPart): ReadonlyArray<EventIn<C>> {
  return events.flatMap((event) => {
    const decoded = decodeEvent(category, event)
    return E.isRight(decoded) ? [decoded.right] : []
  })
}

function recordOf(
  part: StreamPart | undefined,
  events: ReadonlyArray<EventIn<'stream'>>,
  handover: string,
): HandoverRecord | null {
  const name = part === undefined ? null : parseStreamId(part.stream)
  if (name === null) return null
  let history: HandoverHistory = []
  for (const event of events) history = recordHandover(history, name.entity, event)
  return history.find(({ id }) => id === handover) ?? null
}

function stepsOf(
  events: ReadonlyArray<EventIn<'stream'>>,
  alarm: Alarm | null,
  record: HandoverRecord | null,
  zero: number,
): ReadonlyArray<StepView> {
  const step = (
    name: string,
    types: ReadonlyArray<EventIn<'stream'>['type']>,
    detail: (event: EventIn<'stream'>) => string,
  ): StepView => {
    // Edges also tell of viewers who hear the standing route again.
    const isOther = (each: EventIn<'stream'>): boolean =>
      each.type === 'ClientsNotified' && (each.data.epoch !== record?.epoch || each.data.sessions === 0)
    const event = events.find((each) => types.includes(each.type) && !isOther(each))
    return event === undefined
      ? { name, atMs: null, detail: 'not reached, or not needed' }
      : { name, atMs: event.metadata.occurredAt - zero, detail: detail(event) }
  }
  const began: StepView = {
    name: record?.cause === 'prediction' ? 'Prediction' : 'Request',
    atMs: alarm === null ? 0 : alarm.metadata.occurredAt - zero,
    detail: record === null ? '' : `${record.cause}: leave ${record.from.id}`,
  }
  return [
    began,
    step('Standby activation', ['StandbyActivated'], (event) =>
      event.type === 'StandbyActivated' ? `${event.data.server} live at segment ${event.data.liveNumber}` : '',
    ),
    step('Pre-stitch completion', ['BufferStitched'], (event) => {
      if (event.type !== 'BufferStitched') return ''
      const { first, last, verified, copied, different } = event.data.result
      return `segments ${first} to ${last}: ${verified} verified, ${copied} copied, ${different} differed`
    }),
    step('Client notification', ['ClientsNotified'], (event) =>
      event.type === 'ClientsNotified'
        ? `${event.data.acknowledged} of ${event.data.sessions} viewers acknowledged`
        : '',
    ),
    step('Seamless switch', ['StreamSwitched'], (event) =>
      event.type === 'StreamSwitched'
        ? `${event.data.to.id} from segment ${event.data.cutover} on, epoch ${event.data.epoch}`
        : '',
    ),
    step('Primary shutdown', ['PrimaryDrained'], (event) =>
      event.type === 'PrimaryDrained' ? `${event.data.server} served ${event.data.requestsServed} more requests` : '',
    ),
    step('Buffer synchronisation', ['BufferSynchronized'], (event) =>
      event.type === 'BufferSynchronized'
        ? `${event.data.server} holds segments ${event.data.result.first} to ${event.data.result.last}`
        : '',
    ),
  ]
}

type Alarm = Extract<EventIn<'server'>, { readonly type: 'InstabilityPredicted' }>

/** The alarm that the handover was asked for; null for one that was asked for something else. */
function alarmOf(
  health: ReadonlyArray<EventIn<'server'>>,
  events: ReadonlyArray<EventIn<'stream'>>,
  handover: string,
): Alarm | null {
  const started = events.find((event) => event.type === 'HandoverStarted' && event.data.handover === handover)
  const reference = started?.type === 'HandoverStarted' ? started.data.reference : null
  return health.find((event): event is Alarm => event.type === 'InstabilityPredicted' && event.id === reference) ?? null
}

function predictionOf(event: Alarm | null, zero: number): PredictionView | null {
  if (event === null) return null
  const { score, threshold, risk, horizonMs, timeToLimitMs, model, factors } = event.data
  return { atMs: event.metadata.occurredAt - zero, score, threshold, risk, horizonMs, timeToLimitMs, model, factors }
}

function sampleOf(event: Extract<EventIn<'server'>, { readonly type: 'HealthSampled' }>, zero: number): SampleView {
  const { process, encoder } = event.data.sample
  const { memoryLimitBytes: limit } = process
  return {
    atMs: event.metadata.occurredAt - zero,
    memoryRatio: limit === null || limit <= 0 ? null : process.residentBytes / limit,
    cpuCores: process.cpuCores,
    eventLoopMs: process.eventLoopDelayMs,
    latenessMs: encoder.latenessMs,
  }
}

function segmentsOf(
  events: ReadonlyArray<EventIn<'stream'>>,
  record: HandoverRecord | null,
): ReadonlyArray<SegmentView> {
  const K = record?.cutover
  if (K === null || K === undefined) return []
  const byNumber = new Map<number, Map<string, Hashes>>()
  for (const event of events) {
    if (event.type !== 'BufferStitched' && event.type !== 'BufferSynchronized') continue
    for (const { number, ...hashes } of event.data.result.hashes) {
      const servers = byNumber.get(number) ?? new Map<string, Hashes>()
      servers.set(event.data.server, hashes)
      byNumber.set(number, servers)
    }
  }
  return [...byNumber]
    .toSorted(([a], [b]) => Math.abs(a - K) - Math.abs(b - K) || a - b)
    .slice(0, segmentsAround * 2)
    .toSorted(([a], [b]) => a - b)
    .map(([number, servers]) => {
      const rows = [...servers].map(([server, hashes]) => ({ server, ...hashes }))
      const texts = [...servers.values()].map((hashes) => canonicalJson(hashes))
      const identical = texts.every((text) => text === texts[0])
      return { number, epoch: number < K ? 'old' : 'new', servers: rows, identical }
    })
}

function viewerOf(part: StreamPart, epoch: number): ViewerView {
  const events = eventsOf('client', part)
  const acknowledged = events.find((event) => event.type === 'ClientAcknowledged' && event.data.epoch === epoch)
  const switched = events.find((event) => event.type === 'ClientSwitched' && event.data.epoch === epoch)
  const judged = events.find((event) => event.type === 'SwitchExperienced' && event.data.epoch === epoch)
  const measured = switched?.type === 'ClientSwitched' ? switched.data : null
  return {
    session: parseStreamId(part.stream)?.entity ?? part.stream,
    acknowledgedMs: acknowledged?.type === 'ClientAcknowledged' ? acknowledged.data.elapsedMs : null,
    firstNumber: measured?.firstNumber ?? null,
    gaps: measured?.gaps ?? null,
    duplicates: measured?.duplicates ?? null,
    hashMismatches: measured?.hashMismatches ?? null,
    stalls: measured?.stalls ?? null,
    stallMs: measured?.stallMs ?? null,
    verdict: judged?.type === 'SwitchExperienced' ? judged.data.verdict : null,
  }
}

/**
 * Runs the stream's facts through the rules that recorded them, from its first event on. A part that ends in the middle of
 * a handover, or behind which there is more, may end before the last decisions do.
 */
function replayOf(part: StreamPart, isOpen: boolean): DossierView['replay'] {
  const name = parseStreamId(part.stream)
  const [first] = part.events
  if (name === null || first?.revision !== 0) return null
  const versions = new Set<number>()
  let [decider, state]: [Decider<Category, unknown> | undefined, unknown] = [undefined, null]
  let expected: EventIn<Category>[] = []
  let decisions = 0
  let identical = true
  const seen: EventIn<Category>[] = []
  for (const event of part.events) {
    const decoded = decodeEvent(name.category, event)
    if (E.isLeft(decoded)) return { decisions, identical: false, versions: [...versions] }
    const { actorVersion, kind } = decoded.right.metadata
    if (decider?.version !== actorVersion) {
      decider = ruleOf(ruleBook, name.category, actorVersion) as Decider<Category, unknown> | undefined
      if (decider === undefined) return { decisions, identical: false, versions: [...versions] }
      const { evolve } = decider
      state = seen.reduce((before, each) => evolve(before, each), decider.initial(name.entity))
      versions.add(actorVersion)
    }
    if (kind === 'fact') {
      identical &&= expected.length === 0
      state = decider.evolve(state, decoded.right)
      expected = [...decider.decide(state, decoded.right)]
    } else {
      decisions += 1
      const derived = expected.shift()
      identical &&= derived !== undefined && same(derived, decoded.right)
      state = decider.evolve(state, decoded.right)
    }
    seen.push(decoded.right)
  }
  return {
    decisions,
    identical: identical && (isOpen || part.after.length > 0 || expected.length === 0),
    versions: [...versions],
  }
}

function same(derived: EventIn<Category>, recorded: EventIn<Category>): boolean {
  const text = ({ id, type, schemaVersion, data, metadata }: EventIn<Category>): string =>
    canonicalJson({ id, type, schemaVersion, data, metadata })
  return text(derived) === text(recorded)
}
