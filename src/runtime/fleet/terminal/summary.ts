import type { ReplayVerdict } from '../../../projections/index.js'
import { faultsOf, type FleetResult, type HandoverResult, type ViewerResult } from '../result.js'
import { grouped, plural, shortTime } from './amounts.js'

export interface SummaryInput {
  readonly result: FleetResult
  readonly replay: ReplayVerdict
  readonly dataDir: string
}

const viewersShownMax = 8

/** What a run has shown, for people. */
export function summaryLines({ result, replay, dataDir }: SummaryInput): ReadonlyArray<string> {
  const { handovers, aborted, viewers, events } = result
  const faults = faultsOf(result)
  const abortedText = aborted === 0 ? '' : `, ${aborted} aborted`
  const hidden = viewers.length - viewersShownMax
  return [
    '',
    `${plural(handovers.length, 'handover')}${abortedText}`,
    ...handovers.map(handoverLine),
    plural(viewers.length, 'viewer'),
    ...viewers.slice(0, viewersShownMax).map(viewerLine),
    ...(hidden > 0 ? [`  and ${hidden} more`] : []),
    `${plural(events, 'event')} in the log`,
    ...replayLines(replay),
    `data in ${dataDir}`,
    faults.length === 0 ? 'Nothing was missed.' : `Failed: ${faults.join(', ')}.`,
  ]
}

function handoverLine({ id, from, to, cause, cutover, triggerToSwitchMs, leadMs }: HandoverResult): string {
  const lead =
    leadMs === null
      ? ''
      : leadMs >= 0
        ? `, ${shortTime(leadMs)} before ${from} died`
        : `, ${shortTime(-leadMs)} after ${from} had died`
  return `  ${id}  ${from} -> ${to}  ${cause}  from segment ${grouped(cutover)}, switched after ${shortTime(triggerToSwitchMs)}${lead}`
}

function viewerLine({ segments, gaps, duplicates, hashMismatches, stalls, stallMs, latencyMs }: ViewerResult): string {
  const stall = stalls === 0 ? 'no stall' : `${plural(stalls, 'stall')} (${shortTime(stallMs)})`
  return `  ${plural(segments, 'segment')}, ${plural(gaps, 'gap')}, ${plural(duplicates, 'duplicate')}, ${hashMismatches} damaged, ${stall}, latency ${shortTime(latencyMs)}`
}

/** The verdict of a replay, and the first difference if there is one. */
export function replayLines(verdict: ReplayVerdict): string[] {
  return [...verdictLines(verdict), ...verdict.archived.map(archivedLine)]
}

/** Says of a stream that its older events were not there to be looked at. */
export const archivedLine = ({ streamId, before }: ReplayVerdict['archived'][number]): string =>
  `  ${streamId}: archived before event ${before}, and not looked at there; --archive DIR adds it`

function verdictLines({ decisions, facts, streams, identical, difference, unreadable }: ReplayVerdict): string[] {
  const scope = `${plural(decisions, 'decision')} from ${plural(facts, 'fact')} in ${plural(streams, 'event stream')}`
  if (identical) return [`replay: ${scope}: identical`]
  if (unreadable !== null) return [`replay: ${scope}: stopped at an event that cannot be understood`, `  ${unreadable}`]
  if (difference === null) return [`replay: ${scope}: not identical`]
  const { streamId, revision, fact, recorded, derived } = difference
  return [
    `replay: ${scope}: differs at ${streamId}, revision ${revision}`,
    `  after fact ${fact.type} ${fact.id}, revision ${fact.revision}`,
    `  facts:    ${fact.data}`,
    `  recorded: ${recorded ?? 'nothing'}`,
    `  derived:  ${derived ?? 'nothing'}`,
  ]
}
