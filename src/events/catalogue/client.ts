import * as t from 'io-ts'
import { decision, fact, type PayloadOf } from '../definition.js'
import { entityId, finite, nullable, oneOf, record, whole } from './shapes.js'

export const ViewerTotals = record({
  segments: whole,
  gaps: whole,
  duplicates: whole,
  hashMismatches: whole,
  stalls: whole,
  stallMs: finite,
  bufferMsMax: finite,
  latencyMs: finite,
})
/** What a viewer measured since it began to play. */
export type ViewerTotals = t.TypeOf<typeof ViewerTotals>

// ---- facts ----
export const ClientConnected = fact(
  'ClientConnected',
  record({ session: entityId, stream: entityId, edge: entityId, epochKnown: nullable(whole), agent: t.string }),
)
export const ClientNotified = fact(
  'ClientNotified',
  record({ edge: entityId, epoch: whole, cutover: whole, sequence: whole }),
)
export const ClientAcknowledged = fact(
  'ClientAcknowledged',
  record({ edge: entityId, epoch: whole, cutover: whole, sequence: whole, elapsedMs: finite }),
)
export const ClientSwitched = fact(
  'ClientSwitched',
  record({
    edge: entityId,
    epoch: whole,
    cutover: whole,
    server: entityId,
    /** First segment that came from the new server. */
    firstNumber: whole,
    gaps: whole,
    duplicates: whole,
    hashMismatches: whole,
    stalls: whole,
    stallMs: finite,
  }),
)
export const ClientStalled = fact('ClientStalled', record({ edge: entityId, number: whole, stallMs: finite }))
export const ClientReportedTrouble = fact(
  'ClientReportedTrouble',
  record({
    edge: entityId,
    server: entityId,
    reason: oneOf('refused', 'reset', 'timeout', 'status', 'hash'),
    number: nullable(whole),
  }),
)
export const ClientLeft = fact(
  'ClientLeft',
  record({ edge: entityId, reason: t.string, totals: nullable(ViewerTotals) }),
)

// ---- decisions ----
/** The verdict on how one viewer lived through one change of server. */
export const SwitchExperienced = decision(
  'SwitchExperienced',
  record({ epoch: whole, verdict: oneOf('seamless', 'stalled', 'damaged'), acknowledgedInTime: t.boolean }),
)

export const clientEvents = [
  ClientConnected,
  ClientNotified,
  ClientAcknowledged,
  ClientSwitched,
  ClientStalled,
  ClientReportedTrouble,
  ClientLeft,
  SwitchExperienced,
] as const

/** Type and data of everything that happens to a viewer's session. */
export type ClientPayload = PayloadOf<(typeof clientEvents)[number]>
