import * as t from 'io-ts'
import {
  entityId,
  finite,
  finiteWithin,
  httpUrl,
  HandoverStep,
  list,
  Coordinates,
  nullable,
  oneOf,
  record,
  routeProps,
  ServerRef,
  sinceLater,
  StandbyMode,
  StreamFormat,
  ViewerTotals,
  whole,
} from '../events/catalogue/index.js'

/**
 * A fact on its way to an actor. `id` becomes the event id: send again with the same one and it is recorded once.
 * `type` and `data` are those of the catalogue of the subject's category.
 */
export const FactMessage = record({ id: t.string, occurredAt: finite, type: t.string, data: t.unknown })
export type FactMessage = t.TypeOf<typeof FactMessage>

/** How often a media server may beat, in milliseconds, and how often it does unless it is told otherwise. */
export const heartbeatEveryMs = { min: 20, max: 10_000, usual: 100 } as const

export const Heartbeat = record({
  server: entityId,
  bootId: t.string,
  /** Counts from 0 in each boot. */
  seq: whole,
  sentAt: finite,
  url: httpUrl,
  /** From one to the next; what counts as silence follows from it. */
  everyMs: sinceLater(finiteWithin(heartbeatEveryMs.min, heartbeatEveryMs.max), heartbeatEveryMs.usual),
})
export type Heartbeat = t.TypeOf<typeof Heartbeat>

export const Route = record({ stream: entityId, ...routeProps })
/** Who serves which numbers of a stream. Newer = higher epoch, then higher sequence. */
export type Route = t.TypeOf<typeof Route>

export const Notice = record({ route: Route, issuedAt: finite, expiresAt: finite })
export type Notice = t.TypeOf<typeof Notice>

const signed = {
  /** Canonical JSON; the signature covers its UTF-8 bytes. */
  payload: t.string,
  /** Ed25519, base64. */
  signature: t.string,
  keyId: t.string,
}

/** A Notice. */
export const SignedNotice = record(signed)
export type SignedNotice = t.TypeOf<typeof SignedNotice>

export const Ticket = record({
  stream: entityId,
  /** Name of the only session that may use it; null: whoever has it. */
  viewer: nullable(entityId),
  /** Ed25519 public keys (SPKI DER, base64) that may sign: the one in use, and the one that will follow it. */
  keys: list(record({ keyId: t.string, key: t.string })),
  issuedAt: finite,
  expiresAt: finite,
})
/** Admits a session to the notice channels of a stream, and vouches for the keys of what it will hear there. */
export type Ticket = t.TypeOf<typeof Ticket>

/** A Ticket. */
export const SignedTicket = record(signed)
export type SignedTicket = t.TypeOf<typeof SignedTicket>

/** What can be wrong with a ticket; `missing`: the edge asks for one that is made out to the session. */
export const TicketFlaw = oneOf(
  'missing',
  'malformed',
  'unknown-key',
  'unsigned',
  'expired',
  'other-stream',
  'other-viewer',
)
export type TicketFlaw = t.TypeOf<typeof TicketFlaw>

export const RouteAnswer = record({
  notice: SignedNotice,
  /** For whoever asks. */
  ticket: SignedTicket,
  /** Ed25519 public key, SPKI DER in base64, that both are signed with. */
  noticeKey: t.string,
  format: StreamFormat,
})
/** The present route of a stream: the answer on subjects.route and the broadcast on subjects.notice. */
export type RouteAnswer = t.TypeOf<typeof RouteAnswer>

export const Task = t.union([
  /** Get the encoder level and the last N segments verified; report StandbyActivated and BufferStitched. */
  record({ type: t.literal('activate'), order: t.string }),
  /** Hold the last N segments (as the mode asks); report BufferSynchronized. */
  record({ type: t.literal('synchronize'), order: t.string }),
  /** Report CutoverReached once segment `cutover` is complete here. */
  record({ type: t.literal('cutover'), order: t.string, epoch: whole, cutover: whole }),
  /** Serve what is still asked for, then stop encoding; report PrimaryDrained. */
  record({ type: t.literal('drain'), order: t.string, epoch: whole, cutover: whole, deadlineMs: finite }),
])
export type Task = t.TypeOf<typeof Task>

export const Assignment = record({
  stream: entityId,
  server: entityId,
  bootId: t.string,
  /** Revision of the stream's log; a server ignores an assignment older than the one it has. */
  sequence: whole,
  format: StreamFormat,
  feedUrl: httpUrl,
  bufferSegments: whole,
  backfillMs: whole,
  mode: StandbyMode,
  role: oneOf('primary', 'standby', 'retired', 'none'),
  /** Whether the encoder is to run. */
  encode: t.boolean,
  /** Whom to copy from and to compare with; null for a primary. */
  peer: nullable(ServerRef),
  route: nullable(Route),
  tasks: list(Task),
})
/**
 * What one server is to be for one stream: the whole of it, so that the newest one is enough after any loss. The
 * server works towards it, does each task once per boot and reports with facts whose ids derive from the order.
 */
export type Assignment = t.TypeOf<typeof Assignment>

export const Fault = t.union([
  record({ type: t.literal('leak'), bytesPerS: finite }),
  record({ type: t.literal('cpu'), rampMs: finite }),
  record({ type: t.literal('disk'), rampMs: finite }),
])
export type Fault = t.TypeOf<typeof Fault>

export const Command = t.union([
  record({ type: t.literal('assign'), assignment: Assignment }),
  /** Refused unless the server was started with fault injection allowed. */
  record({ type: t.literal('inject'), fault: Fault }),
])
export type Command = t.TypeOf<typeof Command>

export const CommandReply = t.union([
  record({ type: t.literal('done') }),
  record({ type: t.literal('refused'), reason: t.string }),
])
export type CommandReply = t.TypeOf<typeof CommandReply>

const rollCall = {
  servers: list(record({ id: entityId, bootId: t.string })),
  streams: list(record({ id: entityId, run: nullable(t.string), epoch: whole, sequence: t.Int })),
}
export const RollCall = record(rollCall)
/**
 * What the log of the control plane knows of who is there and of the newest routes. Whoever is not in it, or knows newer, tells
 * again what the log must have lost.
 */
export type RollCall = t.TypeOf<typeof RollCall>

/** The ids, in the order of their characters, from one on up to another that is left out; null: all that follow. */
const IdRange = nullable(record({ from: t.string, until: nullable(t.string) }))
export type IdRange = t.TypeOf<typeof IdRange>

export const RollCallPart = record({
  ...rollCall,
  /** The servers and streams of which this is all there is to know; null: of none. */
  covers: record({ servers: IdRange, streams: IdRange }),
})
/** A part of a roll call that is too long for one message: of what it does not cover it says nothing. */
export type RollCallPart = t.TypeOf<typeof RollCallPart>

export const DeadLetter = record({ subject: t.string, reason: t.string, data: t.unknown, at: finite })
export type DeadLetter = t.TypeOf<typeof DeadLetter>

// ---- between viewer and edge, over WebSocket ----
export const TroubleReason = oneOf('refused', 'reset', 'timeout', 'status', 'hash')
export type TroubleReason = t.TypeOf<typeof TroubleReason>

/** First message of the viewer on a notice channel is `hello`. */
export const ViewerMessage = t.union([
  record({
    type: t.literal('hello'),
    session: entityId,
    stream: entityId,
    epochKnown: nullable(whole),
    agent: t.string,
    ticket: nullable(SignedTicket),
    /** Where the viewer is, if it says so; the edge rounds it to whole degrees. */
    location: sinceLater(nullable(Coordinates), null),
  }),
  record({ type: t.literal('acknowledge'), epoch: whole, cutover: whole, sequence: whole }),
  record({
    type: t.literal('switched'),
    epoch: whole,
    cutover: whole,
    server: entityId,
    firstNumber: whole,
    gaps: whole,
    duplicates: whole,
    hashMismatches: whole,
    stalls: whole,
    stallMs: finite,
  }),
  record({ type: t.literal('stalled'), number: whole, stallMs: finite }),
  record({ type: t.literal('trouble'), server: entityId, reason: TroubleReason, number: nullable(whole) }),
  /** A notice was left without effect; `reason` is one of the client's words for it. */
  record({ type: t.literal('ignored'), reason: t.string }),
  record({ type: t.literal('bye'), reason: t.string, totals: nullable(ViewerTotals) }),
])
export type ViewerMessage = t.TypeOf<typeof ViewerMessage>

export const EdgeMessage = t.union([
  record({ type: t.literal('welcome'), edge: entityId }),
  record({ type: t.literal('notice'), notice: SignedNotice }),
  /** `ticket`: what is wrong with it, if that is the reason. */
  record({ type: t.literal('refused'), reason: t.string, ticket: nullable(TicketFlaw) }),
])
export type EdgeMessage = t.TypeOf<typeof EdgeMessage>

// ---- documents over HTTP ----
export const SessionDocument = record({
  stream: entityId,
  format: StreamFormat,
  notice: SignedNotice,
  ticket: SignedTicket,
  /** Ed25519 public key, SPKI DER in base64, that both are signed with. */
  noticeKey: t.string,
})
/** What a viewer needs to begin. GET /streams/<stream>/session at any media server or the control plane. */
export type SessionDocument = t.TypeOf<typeof SessionDocument>

export const sessionDocumentOf = (
  stream: string,
  { format, notice, ticket, noticeKey }: RouteAnswer,
): SessionDocument => ({
  ...{ stream, format, notice, ticket, noticeKey },
})

export const ManifestTrack = record({ sha256: t.string, bytes: whole })
const manifestTracks = {
  video: ManifestTrack,
  audio: ManifestTrack,
  /** By track: those of further renditions. */
  others: sinceLater(t.readonly(t.record(t.string, ManifestTrack)), {}),
}
export const ManifestSegment = record({
  number: whole,
  ...manifestTracks,
  /** Where these bytes come from. */
  origin: oneOf('encoded', 'copied'),
  /** Whether they were compared with the primary's and are equal. */
  verified: t.boolean,
})
export type ManifestSegment = t.TypeOf<typeof ManifestSegment>
export const Manifest = record({
  stream: entityId,
  server: entityId,
  role: oneOf('primary', 'standby', 'retired', 'none'),
  epoch: nullable(whole),
  segmentTicks: whole,
  /** Newest complete segment; null when there is none yet. */
  live: nullable(whole),
  oldest: nullable(whole),
  encoding: t.boolean,
  init: nullable(record(manifestTracks)),
  segments: list(ManifestSegment),
})
/** GET /streams/<stream>/manifest.json of a media server. */
export type Manifest = t.TypeOf<typeof Manifest>

export { HandoverStep }
