import type { SignedTicket, Ticket } from '../../messaging/index.js'
import type { NoticeSigner } from './noticeSigner.js'

/** How long tickets for whoever asks are valid. They are renewed with every notice. */
const validMs = 24 * 3_600_000
/** All that are issued within this time are the same, so that edges verify one of them and not ten thousand. */
const sameForMs = 60_000

/** Of each signer the newest ticket of each stream: it goes out with every notice and is signed once. */
const issued = new WeakMap<NoticeSigner, Map<string, { readonly issuedAt: number; readonly ticket: SignedTicket }>>()
/** When there are more streams than these, tickets are signed anew. */
const issuedMax = 10_000

/** The ticket that session documents carry: for whoever asks. */
export const streamTicket = (signer: NoticeSigner, stream: string, now: number): SignedTicket => {
  const issuedAt = Math.floor(now / sameForMs) * sameForMs
  const mine = issued.get(signer) ?? new Map<string, { readonly issuedAt: number; readonly ticket: SignedTicket }>()
  issued.set(signer, mine)
  const known = mine.get(stream)
  if (known?.issuedAt === issuedAt) return known.ticket
  const ticket = issue(signer, { stream, viewer: null, issuedAt, expiresAt: issuedAt + validMs })
  if (mine.size >= issuedMax) mine.clear()
  mine.set(stream, { issuedAt, ticket })
  return ticket
}

/** A ticket for one session only. @param forMs how long it is valid */
export const viewerTicket = (
  signer: NoticeSigner,
  stream: string,
  viewer: string,
  now: number,
  forMs: number,
): SignedTicket => issue(signer, { stream, viewer, issuedAt: now, expiresAt: now + forMs })

const issue = (signer: NoticeSigner, { stream, viewer, issuedAt, expiresAt }: Omit<Ticket, 'keys'>): SignedTicket =>
  signer.sign({ stream, viewer, keys: signer.keys, issuedAt, expiresAt })
