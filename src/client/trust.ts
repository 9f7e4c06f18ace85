import type { SignedNotice, SignedTicket, TicketFlaw } from '../messaging/codecs.js'
import { readNotice, readSessionDocument, readTicket, type Read } from './documents.js'
import { remember } from './forgetting.js'
import type { Crypto } from './ports.js'
import type { Opening } from './route.js'

/** Public keys (Ed25519, SPKI DER in base64) by key id: the first 16 hex digits of their SHA-256. */
export type PublicKeys = Readonly<Record<string, string>>

const learntMax = 4
const encoder = new TextEncoder()
const invalid = (reason: string): Read<never> => ({ _tag: 'invalid', reason })

/**
 * Whose word counts. Keys that the page gave are final, except that a ticket signed with one of them may name its
 * successor. Without any, the key of the first session document is believed: it came over the connection that the page
 * trusts. From then on it counts as if the page had given it.
 */
export class Trust {
  readonly #crypto: Pick<Crypto, 'verify'>
  readonly #pinned: PublicKeys | undefined
  readonly #learnt = new Map<string, string>()

  constructor(crypto: Pick<Crypto, 'verify'>, pinned?: PublicKeys) {
    this.#crypto = crypto
    this.#pinned = pinned
  }

  /** What is wrong with the signature of something signed; null: nothing. */
  async flawOf(
    { payload, signature, keyId }: SignedNotice,
    key = this.#pinned?.[keyId] ?? this.#learnt.get(keyId),
  ): Promise<'unknown-key' | 'unsigned' | null> {
    if (key === undefined) return 'unknown-key'
    return (await this.#crypto.verify(encoder.encode(payload), signature, key)) ? null : 'unsigned'
  }

  /** Reads and verifies a session document of this stream, and learns its keys. */
  async open(json: string, stream: string): Promise<Read<Opening>> {
    const document = readSessionDocument(json)
    if (document._tag === 'invalid') return document
    const { format, notice, ticket, noticeKey } = document.value
    const isFirst = this.#pinned === undefined && this.#learnt.size === 0
    const key = isFirst ? noticeKey : undefined
    const flaw = (await this.flawOf(notice, key)) ?? (await this.flawOf(ticket, key))
    // Several are opened at once: another one may have been the first meanwhile.
    if (isFirst && this.#learnt.size > 0) return this.open(json, stream)
    if (flaw !== null) return invalid(`its signature does not count (${flaw})`)
    const said = readNotice(notice.payload)
    const vouched = readTicket(ticket.payload)
    if (said._tag === 'invalid') return said
    if (vouched._tag === 'invalid') return vouched
    const { route, issuedAt } = said.value
    if (route.stream !== stream) return invalid(`its notice is about stream ${route.stream}`)
    if (isFirst) remember(this.#learnt, notice.keyId, noticeKey, learntMax)
    for (const { keyId, key } of vouched.value.keys) remember(this.#learnt, keyId, key, learntMax)
    return { _tag: 'valid', value: { stream, format, route, issuedAt, ticket } }
  }

  /** What is wrong with a ticket that the page gave. @param issuerMs the issuer's clock: the viewer's may be hours off */
  async flawOfTicket(
    signed: SignedTicket,
    stream: string,
    viewer: string,
    issuerMs: number,
  ): Promise<TicketFlaw | null> {
    const flaw = await this.flawOf(signed)
    if (flaw !== null) return flaw
    const ticket = readTicket(signed.payload)
    if (ticket._tag === 'invalid') return 'malformed'
    if (ticket.value.stream !== stream) return 'other-stream'
    if ((ticket.value.viewer ?? viewer) !== viewer) return 'other-viewer'
    return ticket.value.expiresAt <= issuerMs ? 'expired' : null
  }
}
