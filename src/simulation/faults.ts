import type { StreamPayload } from '../events/index.js'
import type { AppendFault } from './world/storeClient.js'
import type { Random } from './world/random.js'

/** Everything that can go wrong, by name. */
export const faultKinds = [
  'delay',
  'loss',
  'duplication',
  'reordering',
  'clock-skew',
  'crash-control',
  'hang-control',
  'several-controls',
  'clock-step',
  'crash-broker',
  'hang-broker',
  'store-conflict',
  'store-unknown',
  'store-late',
  'store-crash',
  'store-slow',
  'store-away',
  'wrong-alarm',
  'late-alarm',
  'abort',
  'partition-control',
  'crash-server',
  'hang-server',
  'flap-server',
  'relapse-server',
  'broken-encoder',
  'slow-server',
  'slow-disk',
  'crash-ingest',
  'hang-ingest',
  'crash-viewer',
  'hang-viewer',
  'partition-peer',
  'partition-viewer',
  'asymmetric',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** These touch what viewers get their media from. */
const cutting: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'crash-server',
  'hang-server',
  'flap-server',
  'relapse-server',
  'broken-encoder',
  'slow-server',
  'late-alarm',
  'crash-ingest',
  'hang-ingest',
  'hang-viewer',
  'partition-control',
  'partition-peer',
  'partition-viewer',
  'asymmetric',
])
/** These need somebody who watches. */
const ofViewers: ReadonlySet<FaultKind> = new Set<FaultKind>(['crash-viewer', 'hang-viewer', 'partition-viewer'])

/** These befall one server. */
const ofServers: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'wrong-alarm',
  'late-alarm',
  'crash-server',
  'hang-server',
  'flap-server',
  'relapse-server',
  'broken-encoder',
  'slow-server',
  'slow-disk',
  'partition-control',
  'partition-peer',
  'partition-viewer',
  'asymmetric',
])
export const isOfServer = (kind: FaultKind): boolean => ofServers.has(kind)

export const isCutting = (kind: FaultKind): boolean => cutting.has(kind)

/** When it begins: with the episode, or with the next event of this type in the episode's stream. */
export type FaultTrigger = 'start' | StreamPayload['type']

/** Which server it befalls, by its part in the stream at that moment. */
export type FaultTarget = 'primary' | 'target' | 'standby' | 'retiring' | 'other'

export interface FaultSpec {
  readonly kind: FaultKind
  readonly on: FaultTrigger
  readonly delayMs: number
  readonly target: FaultTarget
  readonly durationMs: number
  readonly append: AppendFault | null
}

const triggers: readonly [FaultTrigger, ...FaultTrigger[]] = [
  'start',
  'start',
  'HandoverRequested',
  'HandoverStarted',
  'StandbyActivationOrdered',
  'StandbyActivated',
  'BufferStitched',
  'CutoverChosen',
  'CutoverChosen',
  'ClientsNotified',
  'CutoverReached',
  'StreamSwitched',
  'PrimaryRetired',
  'StandbyAssigned',
  'PrimaryDrained',
  'BufferSynchronized',
  'ViewersMeasured',
  'HandoverCompleted',
  'HandoverAborted',
  'CutoverRevoked',
  'StepFailed',
  'DeadlinePassed',
  'FleetObserved',
]

const appendFaults: Partial<Record<FaultKind, readonly [AppendFault, ...AppendFault[]]>> = {
  'store-conflict': ['conflict'],
  'store-unknown': ['unknown-before', 'unknown-after', 'unknown-unread'],
  'store-late': ['late-commit'],
  'store-crash': ['crash-before', 'crash-after'],
  'store-slow': ['slow'],
}

const plannable = (kind: FaultKind): boolean =>
  !['delay', 'loss', 'duplication', 'reordering', 'clock-skew'].includes(kind)

const viewersShare = 0.3

/**
 * Something goes wrong in a good half of all episodes; in a few of them a lot does. Where somebody watches, a good part of
 * it befalls those who do: such worlds are few, because they are dear.
 */
export function drawFaults(
  random: Random,
  enabled: ReadonlyArray<FaultKind>,
  watched: boolean,
): ReadonlyArray<FaultSpec> {
  const forViewers = watched ? enabled.filter((kind) => ofViewers.has(kind)) : []
  const forAll = enabled.filter((kind) => plannable(kind) && (watched || !ofViewers.has(kind)))
  const roll = random.next()
  const count = roll < 0.45 ? 0 : roll < 0.85 ? 1 : roll < 0.95 ? 2 : 4
  return Array.from({ length: count }, () => {
    const [first, ...rest] = forViewers.length > 0 && random.chance(viewersShare) ? forViewers : forAll
    return first === undefined ? [] : [drawFault(random, random.pick([first, ...rest]))]
  }).flat()
}

function drawFault(random: Random, kind: FaultKind): FaultSpec {
  const on = random.pick(triggers)
  const choices = appendFaults[kind]
  return {
    kind,
    on,
    delayMs: Math.round(on === 'start' ? random.between(0, 3_000) : random.chance(0.3) ? 0 : random.between(0, 700)),
    target: random.pick(['primary', 'primary', 'target', 'target', 'standby', 'retiring', 'other']),
    durationMs: Math.round(random.chance(0.5) ? random.between(100, 1_500) : random.between(1_000, 5_000)),
    append: choices === undefined ? null : random.pick(choices),
  }
}
