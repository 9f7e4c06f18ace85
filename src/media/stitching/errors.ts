/** What can go wrong between two media servers. `message` says where and what. */
export type PeerError =
  /** Refused, reset, or no answer in time: nothing is known about the peer's bytes. */
  | { readonly _tag: 'PeerUnreachable'; readonly message: string }
  /** The peer answered that it does not have it (any more, or yet). */
  | { readonly _tag: 'PeerLacks'; readonly message: string; readonly status: number }
  /** The peer answered, but not with what it promised: another hash, too few or too many bytes, no manifest. */
  | { readonly _tag: 'PeerWrong'; readonly message: string }

export const unreachable = (message: string): PeerError => ({ _tag: 'PeerUnreachable', message })
export const lacks = (message: string, status: number): PeerError => ({ _tag: 'PeerLacks', message, status })
export const wrong = (message: string): PeerError => ({ _tag: 'PeerWrong', message })
