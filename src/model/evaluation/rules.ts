import { horizonMsFor } from '../telemetry/horizon.js'
import type { Rules } from './incidents.js'

const minuteMs = 60_000

/**
 * How incidents are judged at a sampling interval: runs at most an hour apart are one incident (not in simulated sets,
 * whose incidents are exact); half an hour after each is left out. At a few seconds an alarm must come half a minute
 * ahead, and one up to three horizons ahead is not charged. At a minute incidents have hardly any precursor, and an
 * alarm within their first three samples counts as well (early detection).
 */
export const rulesFor = (stepMs: number, isSimulated: boolean): Rules => {
  const horizonRows = Math.max(1, Math.round(horizonMsFor(stepMs) / stepMs))
  const isQuick = stepMs <= 5_000
  return {
    stepMs,
    horizonRows,
    mergeRows: isSimulated ? -1 : Math.floor((60 * minuteMs) / stepMs),
    recoveryRows: Math.round((30 * minuteMs) / stepMs),
    leadRowsMin: isQuick ? Math.ceil(30_000 / stepMs) : 1,
    graceRows: isQuick ? 3 * horizonRows : 0,
    lateRows: stepMs >= minuteMs && stepMs < 5 * minuteMs ? 3 : 0,
  }
}

/**
 * When a recorded incident becomes known, in rows after its onset: five minutes, at least one row, so that no figure
 * rests on knowing of an incident before anybody could have noticed it.
 */
export const knownAfterRows = (stepMs: number): number => Math.max(1, Math.ceil((5 * minuteMs) / stepMs))
