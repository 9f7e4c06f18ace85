import type { Notice, SignedNotice } from '../../messaging/index.js'
import type { NoticeSigner } from '../../runtime/control/noticeSigner.js'

const signature = 'simulated'
const contents = new WeakMap<SignedNotice, Notice>()

/** Signs without cryptography: that is tested elsewhere, and would be most of the work of a simulated handover. */
export const simulatedSigner: NoticeSigner = {
  publicKey: 'simulated-key',
  keyId: 'simulated',
  sign(notice) {
    let payload: string | undefined
    const signed: SignedNotice = {
      // Most notices repeat the one before and are never read.
      get payload() {
        payload ??= JSON.stringify(notice)
        return payload
      },
      signature,
      keyId: 'simulated',
    }
    contents.set(signed, notice)
    return signed
  },
}

export const isSigned = (given: string, key: string): boolean =>
  given === signature && key === simulatedSigner.publicKey

/** The notice within, without parsing it again. */
export const contentOf = (signed: SignedNotice): Notice =>
  contents.get(signed) ?? (JSON.parse(signed.payload) as Notice)
