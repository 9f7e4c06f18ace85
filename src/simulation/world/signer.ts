import type { Notice, SignedNotice, Ticket } from '../../messaging/index.js'
import type { NoticeSigner } from '../../runtime/control/noticeSigner.js'

const signature = 'simulated'

class Signed implements SignedNotice {
  readonly document: Notice | Ticket
  readonly signature = signature
  readonly keyId = 'simulated'
  #payload: string | undefined

  constructor(document: Notice | Ticket) {
    this.document = document
  }

  /** Most notices repeat the one before and are never read. */
  get payload(): string {
    this.#payload ??= JSON.stringify(this.document)
    return this.#payload
  }

  toJSON(): SignedNotice {
    return { payload: this.payload, signature: this.signature, keyId: this.keyId }
  }
}

/** Signs without cryptography: that is tested elsewhere, and would be most of the work of a simulated handover. */
export const simulatedSigner: NoticeSigner = {
  publicKey: 'simulated-key',
  keyId: 'simulated',
  keys: [],
  sign: (document) => new Signed(document),
}

export const isSigned = (given: string, key: string): boolean =>
  given === signature && key === simulatedSigner.publicKey

/** The notice within, without parsing it again. */
export const contentOf = (signed: SignedNotice): Notice =>
  signed instanceof Signed ? (signed.document as Notice) : (JSON.parse(signed.payload) as Notice)
