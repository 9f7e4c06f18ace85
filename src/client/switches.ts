import type { Route } from '../messaging/codecs.js'

/** What is counted across a change of server. */
export interface Counts {
  readonly gaps: number
  readonly duplicates: number
  readonly hashMismatches: number
  readonly stalls: number
  readonly stallMs: number
}

export interface Switching {
  readonly epoch: number
  readonly cutover: number
  readonly from: string
  readonly to: Route['primary']
  readonly before: Counts
}

/**
 * The change of server that a newer route begins; null when it begins none. A route that overtakes another one before
 * that was carried out goes on counting where it began.
 */
export const switchingTo = (old: Route, route: Route, pending: Switching | null, counts: Counts): Switching | null =>
  route.epoch === old.epoch
    ? pending && { ...pending, cutover: route.cutover, to: route.primary }
    : {
        epoch: route.epoch,
        cutover: route.cutover,
        from: pending?.from ?? old.primary.id,
        to: route.primary,
        before: pending?.before ?? counts,
      }

/** Who delivered the tracks of a number; undefined: it has not come yet. */
export interface TakenFrom {
  readonly video: string | undefined
  readonly audio: string | undefined
}

/** Carried out by the first number of the new epoch that came, both tracks, from its primary. */
export const isCarriedOut = (switching: Switching, number: number, server: TakenFrom): boolean =>
  number >= switching.cutover && server.video === switching.to.id && server.audio === switching.to.id

export const countsSince = (before: Counts, after: Counts): Counts => ({
  gaps: after.gaps - before.gaps,
  duplicates: after.duplicates - before.duplicates,
  hashMismatches: after.hashMismatches - before.hashMismatches,
  stalls: after.stalls - before.stalls,
  stallMs: after.stallMs - before.stallMs,
})
