import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { canonicalJson } from '../../events/index.js'
import type { Notice, SignedNotice, SignedTicket, Ticket } from '../../messaging/index.js'

/** Signs notices and tickets so that viewers follow nobody else. */
export interface NoticeSigner {
  /** Ed25519 public key, SPKI DER in base64. */
  readonly publicKey: string
  /** First 16 hex digits of the key's SHA-256. */
  readonly keyId: string
  /** Those that may sign: this one, and the one that will follow it. */
  readonly keys: Ticket['keys']
  readonly sign: (document: Notice | Ticket) => SignedNotice & SignedTicket
}

const publicPartOf = (privateKey: KeyObject): Ticket['keys'][number] => {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return { keyId: createHash('sha256').update(der).digest('hex').slice(0, 16), key: der.toString('base64') }
}

/** @param next the key that is to take over; viewers learn of it beforehand */
export function signerOf(privateKey: KeyObject, next: KeyObject | null = null): NoticeSigner {
  const own = publicPartOf(privateKey)
  const { keyId, key: publicKey } = own
  return {
    publicKey,
    keyId,
    keys: next === null ? [own] : [own, publicPartOf(next)],
    sign(document) {
      const payload = canonicalJson(document)
      return { payload, signature: sign(null, Buffer.from(payload), privateKey).toString('base64'), keyId }
    },
  }
}

/**
 * Reads the key from `path` (PKCS#8 PEM, readable by its owner alone), or makes one and keeps it there. The key that
 * will follow it, if one is planned, is in a file beside it: `notice-key.pem`, `notice-key-next.pem`.
 */
export async function loadNoticeSigner(path: string): Promise<NoticeSigner> {
  const next = await readKey(path.replace(/(\.pem)?$/, '-next$1'))
  const kept = await readKey(path)
  if (kept !== null) return signerOf(kept, next)
  const { privateKey } = generateKeyPairSync('ed25519')
  try {
    // Under its name only when it is whole: half a key would keep the control plane from starting again.
    await writeFile(`${path}.new`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    await rename(`${path}.new`, path)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`the notice key ${path} cannot be written: ${detail}; check space and permissions`, { cause })
  }
  return signerOf(privateKey, next)
}

const readKey = async (path: string): Promise<KeyObject | null> => {
  const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new Error(`the notice key ${path} cannot be read: ${error.message}`, { cause: error })
  })
  if (kept === null) return null
  const unusable = `${path} holds no Ed25519 private key in PEM form; remove it to have a new one made`
  try {
    const key = createPrivateKey(kept)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    throw new Error(unusable, { cause })
  }
  throw new Error(unusable)
}
