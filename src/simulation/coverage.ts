import type { EventIn } from '../events/index.js'
import type { FaultKind, FaultTarget } from './faults.js'

/** The steps of a handover, and the time without one. */
export const steps = [
  'none',
  'prediction',
  'activation',
  'stitching',
  'notification',
  'switch',
  'shutdown',
  'synchronisation',
] as const
export type Step = (typeof steps)[number]

/** Where a stream's handover stands after an event. */
export function stepAfter(step: Step, event: EventIn<'stream'>): Step {
  switch (event.type) {
    case 'StandbyActivationOrdered':
      return 'activation'
    case 'StandbyActivated':
      return step === 'activation' ? 'stitching' : step
    case 'CutoverChosen':
      return 'notification'
    case 'ClientsNotified':
      return step === 'notification' ? 'switch' : step
    // The next standby is filled while the old primary drains; whichever is left names the step.
    case 'StreamSwitched':
      return 'synchronisation'
    case 'BufferSynchronized':
      return step === 'synchronisation' ? 'shutdown' : step
    case 'PrimaryDrained':
      return step === 'shutdown' ? 'synchronisation' : step
    case 'HandoverCompleted':
    case 'HandoverAborted':
      return 'none'
    default:
      return step
  }
}

/** What befell whom, by step, and how often. */
export type Coverage = Readonly<Record<string, Readonly<Record<Step, number>>>>

const noSteps: Readonly<Record<Step, number>> = {
  none: 0,
  prediction: 0,
  activation: 0,
  stitching: 0,
  notification: 0,
  switch: 0,
  shutdown: 0,
  synchronisation: 0,
}

/** Faults of servers count for each part that a server can have. */
export const coverageName = (kind: FaultKind, target: FaultTarget | null): string =>
  target === null ? kind : `${kind} ${target}`

export class CoverageCounter {
  readonly #counts = new Map<string, Record<Step, number>>()

  count(name: string, step: Step): void {
    const row = this.#counts.get(name) ?? { ...noSteps }
    this.#counts.set(name, row)
    row[step] += 1
  }

  add(coverage: Coverage): void {
    for (const [name, row] of Object.entries(coverage)) {
      for (const step of steps) if (row[step] > 0) this.#add(name, step, row[step])
    }
  }

  get coverage(): Coverage {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  #add(name: string, step: Step, times: number): void {
    const row = this.#counts.get(name) ?? { ...noSteps }
    this.#counts.set(name, row)
    row[step] += times
  }
}
