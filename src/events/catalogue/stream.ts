import * as t from 'io-ts'
import { decision, fact, type PayloadOf } from '../definition.js'
import { StandbyMode, StreamFormat, StreamPolicy } from './format.js'
import { Coordinates, entityId, finite, httpUrl, list, nullable, oneOf, record, ServerRef, whole } from './shapes.js'

export const HandoverCause = oneOf('prediction', 'maintenance', 'drain', 'failure', 'operator')
export type HandoverCause = t.TypeOf<typeof HandoverCause>

export const ServerStanding = oneOf('stable', 'watch', 'unstable', 'failed', 'draining')
/** How a server stands as a place for streams. `unstable`: a prediction is open. */
export type ServerStanding = t.TypeOf<typeof ServerStanding>

export const FleetServer = record({
  id: entityId,
  url: t.string,
  bootId: t.string,
  standing: ServerStanding,
  score: finite,
  /** Other streams that it carries as primary, and all others that it is part of. */
  primaries: whole,
  roles: whole,
  capacityStreams: whole,
  /** Where it stands; null when its operator has not said. */
  location: nullable(Coordinates),
})
export type FleetServer = t.TypeOf<typeof FleetServer>

/** SHA-256 in hex of the tracks of a segment. */
export const SegmentHashes = record({
  number: whole,
  video: t.string,
  audio: t.string,
  /** Of the tracks of further renditions. */
  others: list(record({ track: t.string, sha256: t.string })),
})
export type SegmentHashes = t.TypeOf<typeof SegmentHashes>

/** Which segments a standby holds and how it came by them. */
export const StitchResult = record({
  first: whole,
  last: whole,
  /** Equal to the primary's, by hash. */
  verified: whole,
  /** Taken over from the primary, because missing here or different. */
  copied: whole,
  /** How many of the copied ones were here but different. */
  different: whole,
  /** Could not be compared, because the primary no longer answered. */
  unverified: whole,
  initIdentical: nullable(t.boolean),
  hashes: list(SegmentHashes),
})
export type StitchResult = t.TypeOf<typeof StitchResult>

/** Version 1 knew one picture and one sound. */
const withRenditions = (data: unknown): unknown => {
  const { format, ...others } = data as { readonly format: object }
  return { ...others, format: { ...format, renditions: [], audioOnly: false } }
}
/** Version 2 knew one sound. */
const withSounds = (data: unknown): unknown => {
  const { format, ...others } = data as { readonly format: object }
  return { ...others, format: { ...format, sounds: [] } }
}
const withOtherHashes = (data: unknown): unknown => {
  const { result, ...others } = data as { readonly result: { readonly hashes: ReadonlyArray<object> } }
  return { ...others, result: { ...result, hashes: result.hashes.map((hashes) => ({ ...hashes, others: [] })) } }
}

/** Version 1 did not know where servers stand. */
const withLocations = (data: unknown): unknown => {
  const { servers, ...others } = data as { readonly servers: ReadonlyArray<object> }
  return { ...others, servers: servers.map((server) => ({ ...server, location: null })) }
}

// ---- facts ----
export const StreamOpened = fact(
  'StreamOpened',
  record({
    stream: entityId,
    /** One for each start of the ingest. */
    run: t.string,
    format: StreamFormat,
    /** Base URL of the ingest, without a slash at the end; the feed is below /feed/<stream>. */
    feedUrl: httpUrl,
  }),
  [withRenditions, withSounds],
)
export const StreamPolicyChanged = fact('PolicyChanged', record({ policy: StreamPolicy }))
export const FleetObserved = fact('FleetObserved', record({ servers: list(FleetServer) }), [withLocations])
/** Who listens to an edge: where they are, as far as they say, and how long a message and its answer take. */
export const AudienceSeen = fact(
  'AudienceSeen',
  record({
    edge: entityId,
    sessions: whole,
    /** Places rounded to whole degrees, those with the most sessions first; who does not say is in none. */
    places: list(record({ location: Coordinates, sessions: whole })),
    /** Median round trip between the edge and its sessions in milliseconds; null when none was measured. */
    rttMs: nullable(finite),
  }),
)
export const HandoverRequested = fact(
  'HandoverRequested',
  record({
    cause: HandoverCause,
    /** The server to leave. */
    server: entityId,
    /** The event that asked for it (a prediction, a failure, ...); null for an operator. */
    reference: nullable(t.string),
    /** Where to, when the operator said so. */
    target: nullable(entityId),
    requestedBy: t.string,
  }),
)
/** What led to the request is over: the prediction cleared, the drain was cancelled, an operator aborts. */
export const HandoverWithdrawn = fact(
  'HandoverWithdrawn',
  record({ reference: nullable(t.string), reason: t.string, requestedBy: t.string }),
)
export const StandbyActivated = fact(
  'StandbyActivated',
  record({ order: t.string, server: entityId, liveNumber: whole, elapsedMs: finite }),
)
export const BufferStitched = fact(
  'BufferStitched',
  record({
    order: t.string,
    server: entityId,
    result: StitchResult,
    liveNumber: whole,
    /** Null when the primary did not answer. */
    primaryLiveNumber: nullable(whole),
    elapsedMs: finite,
  }),
  [withOtherHashes],
)
export const ClientsNotified = fact(
  'ClientsNotified',
  record({ epoch: whole, edge: entityId, sessions: whole, acknowledged: whole, elapsedMs: finite }),
)
export const CutoverReached = fact(
  'CutoverReached',
  record({ epoch: whole, server: entityId, number: whole, reachedAt: finite }),
)
export const PrimaryDrained = fact(
  'PrimaryDrained',
  record({ epoch: whole, server: entityId, requestsServed: whole, forced: t.boolean, elapsedMs: finite }),
)
export const BufferSynchronized = fact(
  'BufferSynchronized',
  record({ order: t.string, server: entityId, result: StitchResult, elapsedMs: finite }),
  [withOtherHashes],
)
export const ViewersMeasured = fact(
  'ViewersMeasured',
  record({
    epoch: whole,
    edge: entityId,
    sessions: whole,
    gaps: whole,
    duplicates: whole,
    hashMismatches: whole,
    stalls: whole,
    stallMsMax: finite,
  }),
)
export const HandoverStep = oneOf('activate', 'cutover', 'drain', 'synchronize')
export type HandoverStep = t.TypeOf<typeof HandoverStep>
/** A server could not do what it was ordered to. */
export const StepFailed = fact(
  'StepFailed',
  record({ order: t.string, server: entityId, step: HandoverStep, reason: t.string }),
)
/** What a deadline was set for: a step, or the pause after an aborted handover. */
export const DeadlineStep = oneOf('activate', 'cutover', 'drain', 'synchronize', 'retry')
export type DeadlineStep = t.TypeOf<typeof DeadlineStep>
export const DeadlinePassed = fact('DeadlinePassed', record({ deadline: t.string, step: DeadlineStep }))
/** Who serves which numbers of a stream. Newer = higher epoch, then higher sequence. */
export const routeProps = {
  epoch: whole,
  /** First number of this epoch. */
  cutover: whole,
  primary: ServerRef,
  standby: nullable(ServerRef),
  /** Who was primary before `cutover`, as long as it still serves. */
  previous: nullable(ServerRef),
  /** Orders notices of one stream: it rises with each change that servers or viewers have to know. */
  sequence: whole,
}
/** An edge holds a newer route than the control plane has told of when it called the roll. */
export const RouteReported = fact('RouteReported', record({ edge: entityId, route: record(routeProps) }))
export const SourceLost = fact('SourceLost', record({ run: t.string, reason: t.string }))
export const SourceRestored = fact('SourceRestored', record({ run: t.string, lostMs: finite }))

// ---- decisions ----
export const PlacementDecided = decision(
  'PlacementDecided',
  record({ primary: ServerRef, epoch: whole, cutover: whole, reason: t.string }),
)
export const HandoverStarted = decision(
  'HandoverStarted',
  record({
    handover: t.string,
    cause: HandoverCause,
    from: ServerRef,
    /** Who is meant to take over; another may follow if it fails. */
    to: ServerRef,
    reference: nullable(t.string),
    /** When the request came that led to this; all step times count from here. */
    requestedAt: finite,
  }),
)
/** The log was behind what servers and viewers follow: from here on it goes on from their route. */
export const RouteAdopted = decision('RouteAdopted', record({ edge: entityId, ...routeProps }))
export const StandbyActivationOrdered = decision(
  'StandbyActivationOrdered',
  record({ handover: t.string, order: t.string, attempt: whole, server: ServerRef, deadlineAt: finite }),
)
export const CutoverChosen = decision(
  'CutoverChosen',
  record({
    handover: t.string,
    epoch: whole,
    /** K: segments from this number on belong to `epoch`. */
    cutover: whole,
    from: ServerRef,
    to: ServerRef,
    /** The old primary is gone: K is as early as the new one can deliver. */
    emergency: t.boolean,
    deadlineAt: finite,
  }),
)
/**
 * A cut-over that was announced but not reached is taken back: `epoch` never becomes authoritative, the numbers from
 * `cutover` on belong to `stayEpoch` and the primary stays.
 */
export const CutoverRevoked = decision(
  'CutoverRevoked',
  record({ handover: t.string, epoch: whole, cutover: whole, stayEpoch: whole, reason: t.string }),
)
export const StreamSwitched = decision(
  'StreamSwitched',
  record({
    handover: t.string,
    epoch: whole,
    cutover: whole,
    from: ServerRef,
    to: ServerRef,
    triggerToSwitchMs: finite,
  }),
)
export const PrimaryRetired = decision(
  'PrimaryRetired',
  record({ handover: t.string, epoch: whole, server: ServerRef, deadlineAt: nullable(finite) }),
)
export const StandbyAssigned = decision(
  'StandbyAssigned',
  record({
    order: t.string,
    server: ServerRef,
    mode: StandbyMode,
    reason: t.string,
    deadlineAt: nullable(finite),
  }),
)
/** No server is left that could stand by; the stream runs unprotected until one appears. */
export const StandbyMissing = decision('StandbyMissing', record({ reason: t.string }))
export const ViewerSummary = record({
  sessions: whole,
  notified: whole,
  acknowledged: whole,
  gaps: whole,
  duplicates: whole,
  hashMismatches: whole,
  stalls: whole,
  stallMsMax: finite,
})
export type ViewerSummary = t.TypeOf<typeof ViewerSummary>
export const StepTimes = record({
  /** From the request, in milliseconds; null: the step was not needed or not reached. */
  standbyActivatedMs: nullable(finite),
  bufferStitchedMs: nullable(finite),
  cutoverChosenMs: nullable(finite),
  clientsNotifiedMs: nullable(finite),
  switchedMs: nullable(finite),
  primaryDrainedMs: nullable(finite),
  bufferSynchronizedMs: nullable(finite),
})
export type StepTimes = t.TypeOf<typeof StepTimes>
export const HandoverCompleted = decision(
  'HandoverCompleted',
  record({
    handover: t.string,
    cause: HandoverCause,
    from: ServerRef,
    to: ServerRef,
    epoch: whole,
    cutover: whole,
    steps: StepTimes,
    triggerToSwitchMs: finite,
    viewers: ViewerSummary,
    /** What had to be left undone: a step that ended by its deadline. */
    incomplete: list(HandoverStep),
  }),
)
export const HandoverAborted = decision(
  'HandoverAborted',
  record({ handover: t.string, cause: HandoverCause, step: HandoverStep, reason: t.string, elapsedMs: finite }),
)
/** A request that changed nothing, and why. */
export const HandoverDeclined = decision(
  'HandoverDeclined',
  record({ cause: HandoverCause, server: entityId, reason: t.string }),
)

export const streamEvents = [
  StreamOpened,
  StreamPolicyChanged,
  FleetObserved,
  AudienceSeen,
  RouteReported,
  HandoverRequested,
  HandoverWithdrawn,
  StandbyActivated,
  BufferStitched,
  ClientsNotified,
  CutoverReached,
  PrimaryDrained,
  BufferSynchronized,
  ViewersMeasured,
  StepFailed,
  DeadlinePassed,
  SourceLost,
  SourceRestored,
  PlacementDecided,
  RouteAdopted,
  HandoverStarted,
  StandbyActivationOrdered,
  CutoverChosen,
  CutoverRevoked,
  StreamSwitched,
  PrimaryRetired,
  StandbyAssigned,
  StandbyMissing,
  HandoverCompleted,
  HandoverAborted,
  HandoverDeclined,
] as const

/** Type and data of everything that happens to a stream. */
export type StreamPayload = PayloadOf<(typeof streamEvents)[number]>
