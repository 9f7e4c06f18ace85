import { errorMessage, systemErrorCode } from '../systemError.js'

/** An option of a media server that cannot be used; the message names it and what to give instead. */
export class InvalidMediaServerOption extends Error {
  readonly _tag = 'InvalidMediaServerOption'
}

/** The server cannot listen where it was told to: the port is taken, the address is not here, or it is not allowed. */
export class ListenFailed extends Error {
  readonly _tag = 'ListenFailed'
  constructor(host: string, port: number, cause: unknown) {
    super(`cannot listen on ${host}:${port}: ${reasonOf(cause)}`, { cause })
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; choose another one, or 0 for any free one',
  EADDRNOTAVAIL: 'this machine has no such address; use 0.0.0.0 or one of its own',
  EACCES: 'not allowed; choose a port above 1023',
  ENOTFOUND: 'the host name is not known',
}

const reasonOf = (cause: unknown): string => {
  return reasons[systemErrorCode(cause) ?? ''] ?? errorMessage(cause)
}
