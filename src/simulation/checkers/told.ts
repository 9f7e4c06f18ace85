import type { Checker, Observations } from './checker.js'

export type Told = Omit<Observations, 'finished'>

/** Tells each checker what it wants to hear. Who wants to hear what is found out once: most want little. */
export function toldTo(checkers: ReadonlyArray<Checker>): Told {
  const heard = <K extends keyof Told>(name: K): Told[K] => {
    const hearers = checkers.flatMap((checker) => checker[name] ?? []) as ((...observed: unknown[]) => void)[]
    const [only] = hearers
    if (only !== undefined && hearers.length === 1) return only
    return (...observed: unknown[]): void => {
      for (const hear of hearers) hear(...observed)
    }
  }
  return {
    appended: heard('appended'),
    confirmed: heard('confirmed'),
    acknowledged: heard('acknowledged'),
    redelivered: heard('redelivered'),
    assigned: heard('assigned'),
    reported: heard('reported'),
    served: heard('served'),
    started: heard('started'),
    crashed: heard('crashed'),
    hung: heard('hung'),
    awoke: heard('awoke'),
    sampleTaken: heard('sampleTaken'),
    sampleKept: heard('sampleKept'),
    played: heard('played'),
    skipped: heard('skipped'),
    stalled: heard('stalled'),
    viewerEnded: heard('viewerEnded'),
    disturbed: heard('disturbed'),
  }
}
