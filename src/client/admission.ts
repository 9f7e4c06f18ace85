import type { SignedTicket, TicketFlaw } from '../messaging/codecs.js'
import type { TicketRefused } from './errors.js'
import type { Clock } from './ports.js'
import type { Trust } from './trust.js'
import { inTime } from './within.js'

/** Gets the ticket of this viewer from the page's back end: asked at the start, and again when edges refuse it. */
export type TicketSource = () => SignedTicket | Promise<SignedTicket>

const askAgainMs = 2_000

export interface AdmissionOptions {
  readonly ticket: TicketSource | undefined
  readonly trust: Trust
  readonly stream: string
  readonly session: string
  readonly clock: Clock
}

/** The ticket that a session shows to edges: its own, if the page has one, else the one for whoever asks. */
export class Admission {
  readonly #options: AdmissionOptions
  #own: SignedTicket | null = null
  #askAgainAtMs = 0

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  ticket(forAnybody: SignedTicket): SignedTicket {
    return this.#own ?? forAnybody
  }

  /**
   * Asks the page for a ticket and looks at it. Null: all is well.
   * @param issuerMs the issuer's clock
   * @param withinMs how long the page may take
   */
  async renew(issuerMs: number, withinMs = 30_000): Promise<TicketRefused | null> {
    const { ticket: source, trust, stream, session, clock } = this.#options
    let flaw: TicketFlaw | null
    let cause: unknown
    try {
      const answer = Promise.resolve(source?.())
      const ticket = await inTime(clock, withinMs, answer, new Error('no answer'))
      if (ticket === undefined) return null
      flaw = await trust.flawOfTicket(ticket, stream, session, issuerMs)
      if (flaw === null) this.#own = ticket
    } catch (error) {
      flaw = 'missing'
      cause = error
    }
    return flaw && refusal(stream, session, flaw, cause)
  }

  /** Whether to ask anew now: an edge has refused what it was shown. */
  isDue(nowMs: number): boolean {
    if (nowMs < this.#askAgainAtMs) return false
    this.#askAgainAtMs = nowMs + askAgainMs
    return true
  }
}

const refusal = (stream: string, session: string, flaw: TicketFlaw, cause: unknown): TicketRefused => ({
  _tag: 'TicketRefused',
  message: `the ticket does not admit session ${session} to stream ${stream}: ${flaw}${cause instanceof Error ? ` (${cause.message})` : ''}`,
  flaw,
})
