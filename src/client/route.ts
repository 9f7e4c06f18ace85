import type { Notice, Route, SignedTicket } from '../messaging/codecs.js'
import type { Format } from './documents.js'

export type Server = Route['primary']

/** A session document whose signatures were verified. */
export interface Opening {
  readonly stream: string
  readonly format: Format
  readonly route: Route
  /** When its notice was signed, on the issuer's clock. */
  readonly issuedAt: number
  readonly ticket: SignedTicket
}

interface Reign {
  readonly epoch: number
  readonly cutover: number
  readonly server: Server
}

/** Who serves which numbers, as far as this viewer was told. */
export interface RouteBook {
  readonly route: Route
  /** Earlier epochs whose numbers have not been overruled, newest first. */
  readonly earlier: ReadonlyArray<Reign>
  /**
   * Least seen difference between the viewer's clock at arrival and `issuedAt` of properly signed notices: clock error
   * plus the shortest delay. Null before the first notice.
   */
  readonly issuer: { readonly leadMs: number; readonly atMs: number } | null
}

export const openBook = (route: Route): RouteBook => ({ route, earlier: [], issuer: null })

const earlierMax = 8
const issuerMemoryMs = 60_000
const expiryToleranceMs = 2_000

export const isNewer = (a: Route, b: Route): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.sequence > b.sequence)

const isSame = (a: Route, b: Route): boolean => a.epoch === b.epoch && a.sequence === b.sequence

/** Takes over a newer route. Earlier epochs keep the numbers below every later cut-over. */
export const turnTo = (book: RouteBook, route: Route): RouteBook => {
  const { route: old } = book
  const past = old.epoch === route.epoch ? book.earlier : [{ ...old, server: old.primary }, ...book.earlier]
  const earlier = past
    .filter((reign) => reign.cutover < route.cutover)
    .map(({ epoch, cutover, server }) => ({ epoch, cutover, server }))
    .slice(0, earlierMax)
  return { ...book, route, earlier }
}

/** Whose number this is: the newest epoch that begins at or before it. Null for numbers before everything known. */
export const ownerOf = (book: RouteBook, number: number): Reign | null => {
  const { route } = book
  if (number >= route.cutover) return { epoch: route.epoch, cutover: route.cutover, server: route.primary }
  return book.earlier.find((reign) => number >= reign.cutover) ?? null
}

/** Each of them once, at its first place. */
const distinct = (servers: ReadonlyArray<Server | null>): ReadonlyArray<Server> =>
  servers.filter((s, at): s is Server => s !== null && servers.findIndex((other) => other?.id === s.id) === at)

/**
 * Whom to ask for a number, best first. From the cut-over on the previous server is no longer asked: it is fenced.
 * Below it anyone who still has the number will do, because equal numbers are equal bytes.
 */
export const serversFor = (book: RouteBook, number: number): ReadonlyArray<Server> => {
  const { primary, standby, previous, cutover } = book.route
  const order =
    number >= cutover ? [primary, standby] : [ownerOf(book, number)?.server ?? previous, previous, primary, standby]
  return distinct(order)
}

/** Who serves the newest numbers. Until the cut-over has been reached, that is whoever led before, too. */
export const serversNow = (book: RouteBook): ReadonlyArray<Server> =>
  distinct([...serversFor(book, book.route.cutover), book.route.previous])

/** Everybody who may know about the stream, for when nobody else does. */
export const serversKnown = (book: RouteBook): ReadonlyArray<Server> =>
  distinct([...serversNow(book), ...book.earlier.map(({ server }) => server)])

/** An answer from somebody who has not heard of the number's epoch, and who is not the one it belongs to. */
export const isStale = (book: RouteBook, number: number, server: string, epoch: number | null): boolean => {
  const owner = ownerOf(book, number)
  return owner !== null && epoch !== null && epoch < owner.epoch && owner.server.id !== server
}

export type Verdict =
  | { readonly _tag: 'accepted'; readonly book: RouteBook }
  /** The present route, said again: acknowledge it to whoever said it. */
  | { readonly _tag: 'repeated'; readonly book: RouteBook }
  | { readonly _tag: 'ignored'; readonly book: RouteBook; readonly reason: 'older' | 'expired' | 'implausible' }

export interface Expectations {
  readonly stream: string
  /** Refuse servers that are not reached over TLS, because the session began over TLS. */
  readonly secure: boolean
  /** Newest number this viewer has seen, to bound a cut-over by. */
  readonly newestNumber: number
}

/** A cut-over further away than this is not a plan but a mistake: about ten minutes at 300 ms. */
const cutoverLeadMax = 2_000

const hasPlausibleUrl = (server: Server, secure: boolean): boolean =>
  (secure ? /^https:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/ : /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/).test(server.url)

export const isPlausible = (route: Route, expected: Expectations): boolean =>
  route.stream === expected.stream &&
  route.cutover <= expected.newestNumber + cutoverLeadMax &&
  [route.primary, route.standby, route.previous].every((s) => s === null || hasPlausibleUrl(s, expected.secure))

/**
 * Judges a notice whose signature has been verified.
 *
 * Expiry is measured on the issuer's clock, never on the viewer's: the smallest `arrival - issuedAt` of the last minute
 * tells how the two clocks differ, and a notice that was held up shows a larger one. So a clock that is hours off
 * changes nothing, and replaying cannot help, because delay only makes a notice look older. Two seconds are forgiven.
 */
export const judgeNotice = (book: RouteBook, notice: Notice, nowMs: number, expected: Expectations): Verdict => {
  const leadMs = nowMs - notice.issuedAt
  const { issuer } = book
  const renew = issuer === null || leadMs <= issuer.leadMs || nowMs - issuer.atMs > issuerMemoryMs
  const known = renew ? { leadMs, atMs: nowMs } : issuer
  const next: RouteBook = renew ? { ...book, issuer: known } : book
  if (nowMs - known.leadMs > notice.expiresAt + expiryToleranceMs) {
    return { _tag: 'ignored', book: next, reason: 'expired' }
  }
  if (isSame(notice.route, book.route)) return { _tag: 'repeated', book: next }
  if (!isNewer(notice.route, book.route)) return { _tag: 'ignored', book: next, reason: 'older' }
  if (!isPlausible(notice.route, expected)) return { _tag: 'ignored', book: next, reason: 'implausible' }
  return { _tag: 'accepted', book: turnTo(next, notice.route) }
}
