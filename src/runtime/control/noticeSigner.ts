import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { canonicalJson } from '../../events/index.js'
import type { Notice, SignedNotice } from '../../messaging/index.js'

/** Signs notices so that viewers follow nobody else. */
export interface NoticeSigner {
  /** Ed25519 public key, SPKI DER in base64. */
  readonly publicKey: string
  /** First 16 hex digits of the key's SHA-256. */
  readonly keyId: string
  readonly sign: (notice: Notice) => SignedNotice
}

export function signerOf(privateKey: KeyObject): NoticeSigner {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const keyId = createHash('sha256').update(der).digest('hex').slice(0, 16)
  return {
    publicKey: der.toString('base64'),
    keyId,
    sign(notice) {
      const payload = canonicalJson(notice)
      return { payload, signature: sign(null, Buffer.from(payload), privateKey).toString('base64'), keyId }
    },
  }
}

/** Reads the key from `path` (PKCS#8 PEM, readable by its owner alone), or makes one and keeps it there. */
export async function loadNoticeSigner(path: string): Promise<NoticeSigner> {
  const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new Error(`the notice key ${path} cannot be read: ${error.message}`, { cause: error })
  })
  if (kept !== null) {
    try {
      return signerOf(createPrivateKey(kept))
    } catch (cause) {
      throw new Error(`${path} holds no Ed25519 private key in PEM form; remove it to have a new one made`, { cause })
    }
  }
  const { privateKey } = generateKeyPairSync('ed25519')
  try {
    // Under its name only when it is whole: half a key would keep the control plane from starting again.
    await writeFile(`${path}.new`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    await rename(`${path}.new`, path)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`the notice key ${path} cannot be written: ${detail}; check space and permissions`, { cause })
  }
  return signerOf(privateKey)
}
