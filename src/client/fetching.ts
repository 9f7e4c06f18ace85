import {
  newWork,
  planWorks,
  rerouteWorks,
  settleWork,
  type Attempt as AnyAttempt,
  type FetchEffect as AnyEffect,
  type FetchTerms,
  type Outcome,
  type Settled as AnySettled,
  type Work as AnyWork,
  type Works,
  type WorksPlan,
} from './attempts.js'

export { attemptMsMax, lingerMs } from './attempts.js'
export type { FetchTerms, Outcome } from './attempts.js'

/**
 * Segment after segment, each of two tracks. Two numbers are under way at any time, in order; the newer one waits at
 * the server until it is complete.
 */
export type Track = 'video' | 'audio'
export const tracks: ReadonlyArray<Track> = ['video', 'audio']

export type Attempt = AnyAttempt<Track>
export type FetchEffect = AnyEffect<Track>
export type FetchPlan = WorksPlan<Track, FetchState>
export type Settled = AnySettled<Track, FetchState>
type Work = AnyWork<Track>

export interface FetchState extends Works<Track> {
  /** Lowest number that is not complete. */
  readonly next: number
}

const numbersInFlight = 2

export const fetchFrom = (next: number): FetchState => ({ next, works: [], attempts: [], attemptsMade: 0 })

/** The work on the numbers from `next` on; what lies below is done or given up. */
function worksFrom(next: number, works: ReadonlyArray<Work>): ReadonlyArray<Work> {
  const wanted: Work[] = []
  for (let number = next; number < next + numbersInFlight; number += 1) {
    for (const track of tracks) {
      wanted.push(works.find((w) => w.number === number && w.track === track) ?? newWork(number, track))
    }
  }
  return wanted
}

export const plan = (before: FetchState, terms: FetchTerms): FetchPlan =>
  planWorks(before, worksFrom(before.next, before.works), terms)

export const settle = (before: FetchState, attemptId: number, outcome: Outcome, terms: FetchTerms): Settled =>
  settleWork(before, attemptId, outcome, terms)

/** Whether the lowest number under way is complete. */
export const isComplete = (state: FetchState): boolean =>
  tracks.every((track) => state.works.some((w) => w.number === state.next && w.track === track && w.done))

/** On to another number; what lies below is dropped by the next plan. */
export const moveTo = (state: FetchState, next: number): FetchState => ({
  ...state,
  next,
  works: state.works.filter((work) => work.number >= next),
})

/** Every server that may be asked says that it no longer has the lowest number. */
export const isGone = (state: FetchState, terms: FetchTerms): boolean => {
  const servers = terms.candidates(state.next)
  return (
    servers.length > 0 &&
    state.works.some((w) => w.number === state.next && servers.every((server) => w.goneAt.includes(server)))
  )
}

export const reroute = (
  state: FetchState,
  cutover: number,
  terms: FetchTerms,
): { readonly state: FetchState; readonly aborted: ReadonlyArray<Attempt> } => rerouteWorks(state, cutover, terms)
