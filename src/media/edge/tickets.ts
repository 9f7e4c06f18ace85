import { createPublicKey, verify } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { Ticket, type SignedTicket, type TicketFlaw } from '../../messaging/index.js'

export interface TicketTerms {
  readonly stream: string
  /** Name of the session that shows it. */
  readonly viewer: string
  /** The issuer's clock, as far as known: nobody else's tells whether a ticket has expired. */
  readonly issuerMs: number
  /** Refuse what is not made out to the session. */
  readonly personal: boolean
}

/** Looks at tickets. */
export interface TicketDesk {
  /** Null: it admits the session. */
  readonly flawOf: (signed: SignedTicket | null, terms: TicketTerms) => TicketFlaw | null
}

/** Verified tickets that are remembered: most viewers of a stream have the same one. */
const rememberedMax = 256

/** @param keyOf public key (SPKI DER, base64) for a key id; undefined: nobody of ours signs with it */
export function createTicketDesk(keyOf: (keyId: string) => string | undefined): TicketDesk {
  const verified = new Map<string, Ticket>()

  const read = (signed: SignedTicket): Ticket | TicketFlaw => {
    const key = keyOf(signed.keyId)
    if (key === undefined) return 'unknown-key'
    const name = `${signed.keyId} ${signed.signature} ${signed.payload}`
    const known = verified.get(name)
    if (known !== undefined) return known
    if (!isSigned(signed, key)) return 'unsigned'
    const ticket = decode(signed.payload)
    if (ticket === null) return 'malformed'
    verified.set(name, ticket)
    for (const oldest of verified.keys()) {
      if (verified.size <= rememberedMax) break
      verified.delete(oldest)
    }
    return ticket
  }

  return {
    flawOf(signed, { stream, viewer, issuerMs, personal }) {
      if (signed === null) return personal ? 'missing' : null
      const ticket = read(signed)
      if (typeof ticket === 'string') return ticket
      if (ticket.stream !== stream) return 'other-stream'
      if (ticket.viewer === null && personal) return 'missing'
      if (ticket.viewer !== null && ticket.viewer !== viewer) return 'other-viewer'
      return ticket.expiresAt <= issuerMs ? 'expired' : null
    },
  }
}

const isSigned = ({ payload, signature }: SignedTicket, spki: string): boolean => {
  try {
    const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' })
    return verify(null, Buffer.from(payload), key, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

const decode = (payload: string): Ticket | null => {
  try {
    const ticket = Ticket.decode(JSON.parse(payload))
    return E.isRight(ticket) ? ticket.right : null
  } catch {
    return null
  }
}
