import type { HandoverCause, StepTimes, ViewerTotals } from '../../events/index.js'
import type { HandoverRecord, ReplayVerdict } from '../../projections/index.js'
import { lifeAt, type Life } from './lives.js'

export interface HandoverResult {
  readonly id: string
  readonly stream: string
  readonly cause: HandoverCause
  readonly from: string
  readonly to: string
  /** First segment of the new primary. */
  readonly cutover: number
  /** From the request; null: not needed, or not reached before the end. */
  readonly stepsMs: StepTimes
  readonly triggerToSwitchMs: number
  /**
   * How long before the real death of the old primary's process the stream had been switched; negative when it died
   * first; null when it did not die.
   */
  readonly leadMs: number | null
}

export interface ViewerResult {
  readonly segments: number
  readonly gaps: number
  readonly duplicates: number
  readonly hashMismatches: number
  readonly stallMs: number
  readonly stalls: number
  readonly maxBufferMs: number
  readonly latencyMs: number
}

/** What a run has shown; the object that `segue up --json` prints. */
export interface FleetResult {
  /** Those that switched, in the order in which they began. */
  readonly handovers: ReadonlyArray<HandoverResult>
  readonly aborted: number
  /** One for each session. */
  readonly viewers: ReadonlyArray<ViewerResult>
  /** Events in the log. */
  readonly events: number
  readonly replay: { readonly decisions: number; readonly identical: boolean }
}

export interface ResultInput {
  readonly handovers: ReadonlyArray<HandoverRecord>
  readonly lives: ReadonlyArray<Life>
  readonly viewers: ReadonlyArray<ViewerTotals>
  readonly events: number
  readonly replay: Pick<ReplayVerdict, 'decisions' | 'identical'>
}

/** Puts the result of a run together. Pure. */
export function buildResult({ handovers, lives, viewers, events, replay }: ResultInput): FleetResult {
  return {
    handovers: handovers.flatMap((record) => handoverResult(record, lives)),
    aborted: handovers.filter((record) => record.outcome === 'aborted').length,
    viewers: viewers.map(viewerResult),
    events,
    replay: { decisions: replay.decisions, identical: replay.identical },
  }
}

function handoverResult(record: HandoverRecord, lives: ReadonlyArray<Life>): ReadonlyArray<HandoverResult> {
  const { id, stream, cause, from, to, cutover, switchedAt, triggerToSwitchMs } = record
  if (switchedAt === null || cutover === null) return []
  const diedAt = lifeAt(lives, from.id, record.requestedAt)?.diedAt ?? null
  return [
    {
      id,
      stream,
      cause,
      from: from.id,
      to: to.id,
      cutover,
      stepsMs: record.stepsMs ?? stepTimesSoFar(record),
      triggerToSwitchMs: triggerToSwitchMs ?? switchedAt - record.requestedAt,
      leadMs: diedAt === null ? null : Math.round(diedAt - switchedAt),
    },
  ]
}

/** The completed handover carries its times; of one still under way they are read off its steps. */
function stepTimesSoFar({ steps }: HandoverRecord): StepTimes {
  const last = (name: string): number | null => steps.findLast((step) => step.name === name)?.atMs ?? null
  return {
    standbyActivatedMs: last('standby level'),
    bufferStitchedMs: last('buffer stitched'),
    cutoverChosenMs: last('cut-over chosen'),
    clientsNotifiedMs: last('viewers told'),
    switchedMs: last('switched'),
    primaryDrainedMs: last('old primary drained'),
    bufferSynchronizedMs: last('new standby filled'),
  }
}

/** What one viewer measured, as results name it. */
export const viewerResult = (totals: ViewerTotals): ViewerResult => ({
  segments: totals.segments,
  gaps: totals.gaps,
  duplicates: totals.duplicates,
  hashMismatches: totals.hashMismatches,
  stallMs: Math.round(totals.stallMs),
  stalls: totals.stalls,
  maxBufferMs: Math.round(totals.bufferMsMax),
  latencyMs: Math.round(totals.latencyMs),
})

/** What keeps a run from being a success; empty when it was one. */
export function faultsOf(result: FleetResult): ReadonlyArray<string> {
  const sum = (pick: (viewer: ViewerResult) => number): number =>
    result.viewers.reduce((total, viewer) => total + pick(viewer), 0)
  const counted = (count: number, what: string): ReadonlyArray<string> => (count === 0 ? [] : [`${count} ${what}`])
  const unseen = result.viewers.filter((viewer) => viewer.segments === 0).length
  return [
    ...counted(
      sum((viewer) => viewer.gaps),
      'gap(s)',
    ),
    ...counted(
      sum((viewer) => viewer.duplicates),
      'duplicate(s)',
    ),
    ...counted(
      sum((viewer) => viewer.hashMismatches),
      'hash mismatch(es)',
    ),
    ...(result.viewers.length === 0 ? ['no viewer reported'] : counted(unseen, 'viewer(s) that got no segment')),
    ...(result.replay.identical ? [] : ['the replay differs from the log']),
  ]
}
