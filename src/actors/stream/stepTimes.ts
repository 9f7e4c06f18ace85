import type { StepTimes } from '../../events/index.js'
import type { Handover } from './state.js'
import type { StreamEvent } from './streamEvent.js'

/** The first time that a step was reached counts. */
export function timesAfter({ times, requestedAt }: Handover, event: StreamEvent, step: keyof StepTimes): StepTimes {
  if (times[step] !== null) return times
  return timesWith(times, step, Math.max(0, Math.round(event.metadata.occurredAt - requestedAt)))
}

function timesWith(times: StepTimes, step: keyof StepTimes, elapsedMs: number): StepTimes {
  // A computed name in a literal is many times slower than to set the property afterwards.
  const changed: { -readonly [Step in keyof StepTimes]: StepTimes[Step] } = {
    standbyActivatedMs: times.standbyActivatedMs,
    bufferStitchedMs: times.bufferStitchedMs,
    cutoverChosenMs: times.cutoverChosenMs,
    clientsNotifiedMs: times.clientsNotifiedMs,
    switchedMs: times.switchedMs,
    primaryDrainedMs: times.primaryDrainedMs,
    bufferSynchronizedMs: times.bufferSynchronizedMs,
  }
  changed[step] = elapsedMs
  return changed
}
