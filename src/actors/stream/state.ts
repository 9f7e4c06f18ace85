import type {
  FleetServer,
  HandoverCause,
  HandoverStep,
  ServerRef,
  StandbyMode,
  StepTimes,
  StreamFormat,
  StreamPolicy,
  ViewerSummary,
} from '../../events/index.js'
import { defaultStreamPolicy } from '../../events/index.js'
import type { Audience } from './nearness.js'
import type { StandingReason } from './reasons.js'

/** A cut-over that was announced: numbers from `number` on will belong to `epoch`. */
export interface Cutover {
  readonly epoch: number
  readonly number: number
  readonly deadlineAt: number
}

/**
 * A handover under way.
 * `preparing`: the target gets level and verified; may still be aborted unseen.
 * `cutting`: K is announced; the old primary stays authoritative until the live edge has passed it.
 * `settling`: switched; the old primary drains, a new standby is filled.
 */
export interface Handover {
  readonly id: string
  readonly cause: HandoverCause
  readonly from: ServerRef
  readonly reference: string | null
  readonly requestedAt: number
  /** What led to it is over. */
  readonly withdrawn: boolean
  /** Handovers for the same reason that were aborted before. */
  readonly tries: number
  readonly phase: 'preparing' | 'cutting' | 'settling'
  readonly target: ServerRef
  readonly order: string
  readonly attempt: number
  readonly deadlineAt: number
  readonly tried: ReadonlyArray<string>
  /** The old primary is gone. */
  readonly emergency: boolean
  readonly activatedLive: number | null
  readonly stitched: { readonly live: number; readonly primaryLive: number | null } | null
  readonly cutover: Cutover | null
  readonly triggerToSwitchMs: number | null
  readonly drained: boolean
  readonly times: StepTimes
  readonly viewers: ViewerSummary
  readonly viewersMeasured: boolean
  readonly incomplete: ReadonlyArray<HandoverStep>
}

export interface Standby {
  readonly server: ServerRef
  readonly order: string
  readonly mode: StandbyMode
  readonly synchronized: boolean
  readonly deadlineAt: number | null
}

/** The old primary, from the switch until it has drained. */
export interface Retiring {
  readonly server: ServerRef
  readonly epoch: number
  readonly deadlineAt: number | null
}

/** A reason to leave the primary that could not be followed yet: no server could take over, or it failed to. */
export interface UnmetReason {
  readonly cause: HandoverCause
  readonly reference: string | null
  /** When it was told first. */
  readonly at: number
  /** Handovers for it that were aborted. */
  readonly tries: number
  /** When it is followed again; null: as soon as a server can take over. */
  readonly retryAt: number | null
}

export interface StreamState {
  readonly stream: string
  /** Revision of the newest event applied; -1 for none. */
  readonly revision: number
  /** Of the newest event that changed what servers or viewers have to know: its revision and the lead of the time. */
  readonly sequence: number
  /** By how much sequences are ahead of revisions: more than none after a route was adopted that this log had not given out. */
  readonly sequenceLead: number
  readonly opened: { readonly run: string; readonly format: StreamFormat; readonly feedUrl: string } | null
  readonly policy: StreamPolicy
  readonly fleet: ReadonlyArray<FleetServer>
  readonly audience: Audience
  /** The authoritative epoch: who is primary from which number on. */
  readonly route: { readonly epoch: number; readonly cutover: number; readonly primary: ServerRef } | null
  /** Highest epoch and K ever given out, also if revoked. */
  readonly epochIssued: number
  readonly cutoverIssued: number
  readonly standby: Standby | null
  readonly retiring: Retiring | null
  readonly handover: Handover | null
  readonly handoversStarted: number
  readonly ordersGiven: number
  readonly unmet: UnmetReason | null
  /** Every reason to leave the primary that stands, whether it is being followed or not. */
  readonly reasons: ReadonlyArray<StandingReason>
  /** Servers that had a part in the stream and have none now; they are told so. Newest last, bounded. */
  readonly released: ReadonlyArray<ServerRef>
  readonly standbyMissing: boolean
  /**
   * A sighting of the live edge that came without much delay: number and time. Reports are as old as their way was
   * long; counted on from here by the clock, the edge is known all the same.
   */
  readonly edge: { readonly number: number; readonly at: number } | null
}

export const initialStreamState = (stream: string): StreamState => ({
  stream,
  revision: -1,
  sequence: -1,
  sequenceLead: 0,
  opened: null,
  policy: defaultStreamPolicy,
  fleet: [],
  audience: [],
  route: null,
  epochIssued: 0,
  cutoverIssued: 0,
  standby: null,
  retiring: null,
  handover: null,
  handoversStarted: 0,
  ordersGiven: 0,
  unmet: null,
  reasons: [],
  released: [],
  standbyMissing: false,
  edge: null,
})

/** What an event makes of a state, besides the counters. */
export type StateChanges = Partial<Omit<StreamState, 'stream' | 'revision' | 'sequence'>>
export const unchanged: StateChanges = {}

/** What an event is counted by, and what it shows of the live edge. */
type Counted = Pick<StreamState, 'revision' | 'sequence' | 'edge'>

/**
 * The state after an event, built by one literal. V8 gives what a spread copies a hidden class by the place that copies it,
 * so states that came by many ways would be of hundreds of classes, and every access to them a slow one. Nothing in a state
 * is ever undefined.
 */
export const stateWith = (
  state: StreamState,
  changes: StateChanges,
  { revision, sequence, edge }: Counted,
): StreamState => ({
  stream: state.stream,
  revision,
  sequence,
  sequenceLead: changes.sequenceLead ?? state.sequenceLead,
  opened: changes.opened ?? state.opened,
  policy: changes.policy ?? state.policy,
  fleet: changes.fleet ?? state.fleet,
  audience: changes.audience ?? state.audience,
  route: changes.route === undefined ? state.route : changes.route,
  epochIssued: changes.epochIssued ?? state.epochIssued,
  cutoverIssued: changes.cutoverIssued ?? state.cutoverIssued,
  standby: changes.standby === undefined ? state.standby : changes.standby,
  retiring: changes.retiring === undefined ? state.retiring : changes.retiring,
  handover: changes.handover === undefined ? state.handover : changes.handover,
  handoversStarted: changes.handoversStarted ?? state.handoversStarted,
  ordersGiven: changes.ordersGiven ?? state.ordersGiven,
  unmet: changes.unmet === undefined ? state.unmet : changes.unmet,
  reasons: changes.reasons ?? state.reasons,
  released: changes.released ?? state.released,
  standbyMissing: changes.standbyMissing ?? state.standbyMissing,
  edge,
})

/** The handover with some of it changed; by one literal as well. What it was asked for with never changes. */
export const handoverWith = (
  handover: Handover,
  changes: Partial<Omit<Handover, 'id' | 'cause' | 'from' | 'reference' | 'requestedAt' | 'tries' | 'times'>>,
  times: StepTimes = handover.times,
): Handover => ({
  id: handover.id,
  cause: handover.cause,
  from: handover.from,
  reference: handover.reference,
  requestedAt: handover.requestedAt,
  withdrawn: changes.withdrawn ?? handover.withdrawn,
  tries: handover.tries,
  phase: changes.phase ?? handover.phase,
  target: changes.target ?? handover.target,
  order: changes.order ?? handover.order,
  attempt: changes.attempt ?? handover.attempt,
  deadlineAt: changes.deadlineAt ?? handover.deadlineAt,
  tried: changes.tried ?? handover.tried,
  emergency: changes.emergency ?? handover.emergency,
  activatedLive: changes.activatedLive === undefined ? handover.activatedLive : changes.activatedLive,
  stitched: changes.stitched === undefined ? handover.stitched : changes.stitched,
  cutover: changes.cutover === undefined ? handover.cutover : changes.cutover,
  triggerToSwitchMs: changes.triggerToSwitchMs === undefined ? handover.triggerToSwitchMs : changes.triggerToSwitchMs,
  drained: changes.drained ?? handover.drained,
  times,
  viewers: changes.viewers ?? handover.viewers,
  viewersMeasured: changes.viewersMeasured ?? handover.viewersMeasured,
  incomplete: changes.incomplete ?? handover.incomplete,
})

export const noTimes: StepTimes = {
  standbyActivatedMs: null,
  bufferStitchedMs: null,
  cutoverChosenMs: null,
  clientsNotifiedMs: null,
  switchedMs: null,
  primaryDrainedMs: null,
  bufferSynchronizedMs: null,
}

export const noViewers: ViewerSummary = {
  sessions: 0,
  notified: 0,
  acknowledged: 0,
  gaps: 0,
  duplicates: 0,
  hashMismatches: 0,
  stalls: 0,
  stallMsMax: 0,
}

export const serverOf = (state: StreamState, id: string): FleetServer | undefined =>
  state.fleet.find((server) => server.id === id)

/** Known to be gone. A server that was never heard of counts as gone, too. */
export const isFailed = (state: StreamState, id: string): boolean => {
  const server = serverOf(state, id)
  return server === undefined || server.standing === 'failed'
}

const releasedMax = 16

/** Those to be told, with one more that loses its part. Whether it has another one is looked at when servers are told. */
export function release(
  { released }: Pick<StreamState, 'released'>,
  server: ServerRef | null,
): ReadonlyArray<ServerRef> {
  if (server === null) return released
  const others = released.filter((ref) => ref.id !== server.id)
  return [...others, server].slice(-releasedMax)
}
