/**
 * Which server is asked for a thing, and when another one is asked too. Pure: `planWorks` says what to do now and when
 * to look again, `settleWork` takes in what became of an attempt.
 *
 * When an answer is overdue the next server is asked as well (hedging); the first valid answer wins. The loser, if it
 * had been asked first, gets a moment more: if it still answers, the source was late and not the server.
 */
export interface Attempt<T extends string = string> {
  readonly id: number
  readonly number: number
  /** What of the number: a track, or the path of a resource. */
  readonly track: T
  readonly server: string
  readonly startedAtMs: number
  /** Lost to another server; dropped at this time. */
  readonly lingersUntilMs: number | null
  /** It was asked first and lost: if it keeps silent while it lingers, that counts against the server. */
  readonly blamed: boolean
}

interface HoldOff {
  readonly untilMs: number
  /** The thing does not exist yet: before it is due, nobody else is bothered. */
  readonly early: boolean
}

export interface Work<T extends string = string> {
  readonly number: number
  readonly track: T
  readonly done: boolean
  /** More than one server was asked at the same time. */
  readonly hedged: boolean
  readonly failures: number
  readonly heldOff: Readonly<Record<string, HoldOff>>
  readonly goneAt: ReadonlyArray<string>
}

export interface Works<T extends string = string> {
  readonly works: ReadonlyArray<Work<T>>
  readonly attempts: ReadonlyArray<Attempt<T>>
  readonly attemptsMade: number
}

export interface FetchTerms {
  readonly nowMs: number
  /** Ids of the servers that may be asked for a number, best first. */
  readonly candidates: (number: number) => ReadonlyArray<string>
  readonly standing: (server: string) => {
    readonly avoidedUntilMs: number
    readonly proven: boolean
    readonly suspect: boolean
  }
  /** When the number should be complete at a server, on the viewer's clock. */
  readonly expectedAtMs: (number: number) => number
  readonly marginMs: (number: number, suspect: boolean) => number
}

export type FetchEffect<T extends string = string> =
  | { readonly type: 'ask'; readonly attempt: Attempt<T> }
  | { readonly type: 'abort'; readonly attempt: Attempt<T> }
  /** It is overdue: find out whether it lives. */
  | { readonly type: 'probe'; readonly server: string }
  /** Another server delivered the number and this one still has not. */
  | { readonly type: 'missed'; readonly attempt: Attempt<T> }
  /** Nobody answered for long; given up, to be asked again. */
  | { readonly type: 'expired'; readonly attempt: Attempt<T> }

export type Outcome =
  'valid' | 'hash' | 'malformed' | 'stale' | 'fenced' | 'gone' | 'not-yet' | 'status' | 'refused' | 'reset' | 'timeout'

export interface Settled<T extends string, S extends Works<T>> {
  readonly state: S
  readonly attempt: Attempt<T> | null
  /** The bytes are to be kept: first valid answer for this number and track. */
  readonly accepted: boolean
  /** A valid answer after another server's; of use only to compare. */
  readonly late: boolean
  /** More than one server was asked, so the time it took says nothing about one of them. */
  readonly hedged: boolean
}

export interface WorksPlan<T extends string, S extends Works<T>> {
  readonly state: S
  readonly effects: ReadonlyArray<FetchEffect<T>>
  /** Plan again at this time at the latest. */
  readonly wakeAtMs: number
}

const attemptsAtOnceMax = 2
export const lingerMs = 150
/** After this nobody is believed to answer any more, and the connection is not trusted either. */
export const attemptMsMax = 4_000
const retryMsMin = 100
const retryMsMax = 1_000

const isFor = (attempt: Attempt, work: Work): boolean =>
  attempt.number === work.number && attempt.track === work.track && attempt.lingersUntilMs === null

export const newWork = <T extends string>(number: number, track: T): Work<T> => ({
  number,
  track,
  done: false,
  hedged: false,
  failures: 0,
  heldOff: {},
  goneAt: [],
})

interface Choice {
  readonly server: string | null
  /** When the choice may be another. */
  readonly againAtMs: number
}

/**
 * The best server to ask now, of those not asked already: first those that nothing is held against, then those whose
 * back-off is over, and when there are no others, the one whose back-off ends first.
 * A stall is worse than a request in vain.
 */
const choose = (work: Work, busy: ReadonlyArray<Attempt>, terms: FetchTerms): Choice => {
  const { nowMs } = terms
  const all = terms.candidates(work.number).map((server) => ({ server, standing: terms.standing(server) }))
  const open = all.filter(({ standing }) => nowMs >= standing.avoidedUntilMs)
  const proven = open.filter(({ standing }) => standing.proven)
  const unproven = open.filter(({ standing }) => !standing.proven)
  const avoided = [...all].sort((a, b) => a.standing.avoidedUntilMs - b.standing.avoidedUntilMs)
  const isBusy = (server: string): boolean => busy.some((attempt) => attempt.server === server)
  const lastResort = open.every(({ server }) => isBusy(server)) ? avoided : []
  let againAtMs = Math.min(Infinity, ...all.map((c) => c.standing.avoidedUntilMs).filter((at) => at > nowMs))
  for (const { server } of [...proven, ...unproven, ...lastResort]) {
    if (isBusy(server)) continue
    const hold = work.heldOff[server]
    if (hold === undefined || nowMs >= hold.untilMs) return { server, againAtMs }
    againAtMs = Math.min(againAtMs, hold.untilMs)
    if (hold.early && nowMs < terms.expectedAtMs(work.number)) return { server: null, againAtMs }
  }
  return { server: null, againAtMs }
}

const hedgeAtMs = (attempt: Attempt, terms: FetchTerms): number => {
  const { avoidedUntilMs, suspect } = terms.standing(attempt.server)
  if (terms.nowMs < avoidedUntilMs) return terms.nowMs
  const dueAtMs = Math.max(attempt.startedAtMs, terms.expectedAtMs(attempt.number))
  return dueAtMs + terms.marginMs(attempt.number, suspect)
}

/** @param wanted the works to be done, also those that were planned before */
export const planWorks = <T extends string, S extends Works<T>>(
  before: S,
  wanted: ReadonlyArray<Work<T>>,
  terms: FetchTerms,
): WorksPlan<T, S> => {
  const { nowMs } = terms
  const effects: FetchEffect<T>[] = []
  let wakeAtMs = Infinity
  let { attempts, attemptsMade }: Works<T> = before
  const isWanted = (attempt: Attempt<T>): boolean =>
    wanted.some((work) => work.number === attempt.number && work.track === attempt.track)

  const drop = (attempt: Attempt<T>, type: 'abort' | 'missed' | 'expired'): void => {
    attempts = attempts.filter((a) => a !== attempt)
    effects.push({ type: 'abort', attempt })
    if (type !== 'abort') effects.push({ type, attempt })
  }
  const ask = (work: Work<T>, server: string): void => {
    attemptsMade += 1
    const { number, track } = work
    const attempt = { id: attemptsMade, number, track, server, startedAtMs: nowMs, lingersUntilMs: null, blamed: false }
    attempts = [...attempts, attempt]
    effects.push({ type: 'ask', attempt })
  }

  for (const attempt of attempts) {
    const { lingersUntilMs } = attempt
    if (lingersUntilMs !== null) {
      if (nowMs >= lingersUntilMs) drop(attempt, attempt.blamed ? 'missed' : 'abort')
      else wakeAtMs = Math.min(wakeAtMs, lingersUntilMs)
    } else if (!isWanted(attempt) || !terms.candidates(attempt.number).includes(attempt.server)) {
      drop(attempt, 'abort')
    } else {
      const endsAtMs = Math.max(attempt.startedAtMs, terms.expectedAtMs(attempt.number)) + attemptMsMax
      if (nowMs >= endsAtMs) drop(attempt, 'expired')
      else wakeAtMs = Math.min(wakeAtMs, endsAtMs)
    }
  }

  const works = wanted.map((work) => {
    if (work.done) return work
    const busy = attempts.filter((attempt) => isFor(attempt, work))
    const last = busy.at(-1)
    if (busy.length >= attemptsAtOnceMax) return work
    const dueAtMs = last === undefined ? nowMs : hedgeAtMs(last, terms)
    if (nowMs < dueAtMs) {
      wakeAtMs = Math.min(wakeAtMs, dueAtMs)
      return work
    }
    const choice = choose(work, busy, terms)
    if (choice.server !== null) ask(work, choice.server)
    else wakeAtMs = Math.min(wakeAtMs, choice.againAtMs)
    if (last === undefined || choice.server === null || work.hedged) return work
    effects.push({ type: 'probe', server: last.server })
    return { ...work, hedged: true }
  })
  for (const attempt of attempts) {
    if (attempt.startedAtMs === nowMs && attempt.lingersUntilMs === null) {
      wakeAtMs = Math.min(wakeAtMs, hedgeAtMs(attempt, terms))
    }
  }
  return { state: { ...before, works, attempts, attemptsMade }, effects, wakeAtMs: Math.max(wakeAtMs, nowMs + 1) }
}

const holdOffFor = (outcome: Outcome, work: Work, terms: FetchTerms): HoldOff => {
  if (outcome === 'not-yet') {
    const untilMs = Math.max(terms.nowMs + retryMsMin, terms.expectedAtMs(work.number) - 2 * retryMsMin)
    return { untilMs, early: true }
  }
  const waitMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(work.failures, 6))
  return { untilMs: terms.nowMs + waitMs, early: false }
}

/** Takes in how an attempt ended. Unknown attempts (aborted ones that answered all the same) change nothing. */
export const settleWork = <T extends string, S extends Works<T>>(
  before: S,
  attemptId: number,
  outcome: Outcome,
  terms: FetchTerms,
): Settled<T, S> => {
  const attempt = before.attempts.find((a) => a.id === attemptId) ?? null
  const nothing = { state: before, attempt, accepted: false, late: false, hedged: false }
  if (attempt === null) return nothing
  const state = { ...before, attempts: before.attempts.filter((a) => a !== attempt) }
  const work = state.works.find((w) => w.number === attempt.number && w.track === attempt.track)
  if (attempt.lingersUntilMs !== null || work === undefined || work.done) {
    return { ...nothing, state, late: outcome === 'valid', hedged: true }
  }
  const replace = (changed: Work<T>): ReadonlyArray<Work<T>> => state.works.map((w) => (w === work ? changed : w))
  if (outcome !== 'valid') {
    const heldOff = { ...work.heldOff, [attempt.server]: holdOffFor(outcome, work, terms) }
    const failures = work.failures + (outcome === 'not-yet' ? 0 : 1)
    const others = work.goneAt.filter((server) => server !== attempt.server)
    const goneAt = outcome === 'gone' ? [...others, attempt.server] : others
    return { ...nothing, state: { ...state, works: replace({ ...work, heldOff, failures, goneAt }) } }
  }
  const attempts = state.attempts.map((a) => {
    if (!isFor(a, work)) return a
    const blamed = a.id < attempt.id
    return { ...a, blamed, lingersUntilMs: blamed ? terms.nowMs + lingerMs : terms.nowMs }
  })
  return {
    state: { ...state, attempts, works: replace({ ...work, done: true }) },
    attempt,
    accepted: true,
    late: false,
    hedged: work.hedged,
  }
}

/** Numbers from `cutover` on are asked again of whoever is now the best; nothing is held against the old one. */
export const rerouteWorks = <T extends string, S extends Works<T>>(
  state: S,
  cutover: number,
  terms: FetchTerms,
): { readonly state: S; readonly aborted: ReadonlyArray<Attempt<T>> } => {
  const aborted = state.attempts.filter((attempt) => {
    if (attempt.lingersUntilMs !== null || attempt.number < cutover) return false
    const best = terms
      .candidates(attempt.number)
      .find((server) => terms.nowMs >= terms.standing(server).avoidedUntilMs && terms.standing(server).proven)
    return best !== undefined && best !== attempt.server
  })
  const works = state.works.map((work) => (work.number < cutover ? work : { ...work, heldOff: {}, goneAt: [] }))
  return { state: { ...state, works, attempts: state.attempts.filter((a) => !aborted.includes(a)) }, aborted }
}
