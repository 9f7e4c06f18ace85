export interface Trouble {
  /** A fact of the subject was recorded. */
  readonly recorded: (subject: string) => void
  /** One could not be, for no reason that is known. @returns whether the fault is of this subject alone and lasts */
  readonly failed: (subject: string) => boolean
}

/** So long a subject is tried again before it is given up. */
const patienceMs = 10_000
/** Subjects of which something has failed, remembered at most. */
const subjectsMax = 10_000

/**
 * Tells a fault of one subject from one of everybody: what is wrong with the log or the machine holds up all facts, and they
 * wait; a subject that fails while others go on would fill the hands of the intake with what it holds back.
 */
export function watchTrouble(now: () => number): Trouble {
  const since = new Map<string, number>()
  let recordedAt = -Infinity
  return {
    recorded: (subject) => {
      since.delete(subject)
      recordedAt = now()
    },
    failed: (subject) => {
      const at = now()
      const first = since.get(subject)
      if (first !== undefined) return at - first >= patienceMs && recordedAt > first
      if (since.size >= subjectsMax) since.clear()
      since.set(subject, at)
      return false
    },
  }
}
