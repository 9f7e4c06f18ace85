import type { TicketFlaw } from '../messaging/codecs.js'

/** Neither a server nor the control plane told how to begin. */
export interface BootstrapFailed {
  readonly _tag: 'BootstrapFailed'
  readonly message: string
  readonly tried: ReadonlyArray<string>
}

/** The servers are known, but none had anything of the stream to play in time. */
export interface StreamUnavailable {
  readonly _tag: 'StreamUnavailable'
  readonly message: string
}

/** Playing stood still for so long that the session was given up. */
export interface StreamLost {
  readonly _tag: 'StreamLost'
  readonly message: string
  readonly number: number
}

/** The ticket that the page gave is none, is somebody else's, or has expired. */
export interface TicketRefused {
  readonly _tag: 'TicketRefused'
  readonly message: string
  readonly flaw: TicketFlaw
}

/** Something in the client itself went wrong; a defect. */
export interface ClientFault {
  readonly _tag: 'ClientFault'
  readonly message: string
  readonly cause: unknown
}

/** Why a session ended that nobody stopped. */
export type SessionError = BootstrapFailed | StreamUnavailable | StreamLost | TicketRefused | ClientFault

/**
 * Why a player's request came to nothing. `gone`: no server has it any more; `timeout`: nobody answered in time;
 * `aborted`: the player gave it up; `too-many`: more at once than any player makes; `ended`: the session is over.
 */
export type RequestFailure = 'gone' | 'timeout' | 'aborted' | 'too-many' | 'ended'

export class RequestFailed extends Error {
  readonly _tag = 'RequestFailed'
  constructor(
    readonly reason: RequestFailure,
    readonly path: string,
    /** Of the session, when it failed. */
    readonly session: SessionError | null = null,
  ) {
    super(session === null ? `${path}: ${reason}` : `${path}: ${session.message}`)
  }
}
