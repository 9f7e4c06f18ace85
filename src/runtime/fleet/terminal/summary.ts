import type { ReplayVerdict } from '../../../projections/index.js'
import { faultsOf, type FleetResult, type HandoverResult, type ViewerResult } from '../result.js'
import { grouped, plural, shortTime } from '../../amounts.js'
import { replayLines } from '../../logs/verdictLines.js'

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
