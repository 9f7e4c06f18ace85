import type { SignedTicket, Ticket } from '../../messaging/index.js'
import type { NoticeSigner } from './noticeSigner.js'

/** How long tickets for whoever asks are valid. They are renewed with every notice. */
const validMs = 24 * 3_600_000
/** All that are issued within this time are the same, so that edges verify one of them and not ten thousand. */
const sameForMs = 60_000

/** The ticket that session documents carry: for whoever asks. */
export const streamTicket = (signer: NoticeSigner, stream: string, now: number): SignedTicket => {
  const issuedAt = Math.floor(now / sameForMs) * sameForMs
  return issue(signer, { stream, viewer: null, issuedAt, expiresAt: issuedAt + validMs })
}

/** A ticket for one session only. @param forMs how long it is valid */
export const viewerTicket = (
  signer: NoticeSigner,
  stream: string,
  viewer: string,
  now: number,
  forMs: number,
): SignedTicket => issue(signer, { stream, viewer, issuedAt: now, expiresAt: now + forMs })

const issue = (signer: NoticeSigner, ticket: Omit<Ticket, 'keys'>): SignedTicket =>
  signer.sign({ ...ticket, keys: signer.keys })
