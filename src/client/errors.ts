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

/** Something in the client itself went wrong; a defect. */
export interface ClientFault {
  readonly _tag: 'ClientFault'
  readonly message: string
  readonly cause: unknown
}

/** Why a session ended that nobody stopped. */
export type SessionError = BootstrapFailed | StreamUnavailable | StreamLost | ClientFault
