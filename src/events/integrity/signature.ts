import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { canonicalJson } from '../canonicalJson.js'
import { record } from '../catalogue/shapes.js'

/** A text and who stands for it: an Ed25519 signature (RFC 8032) over the bytes of `statement`, in base64. */
export const Signed = record({ statement: t.string, signature: t.string })
export type Signed = t.TypeOf<typeof Signed>

const publicOf = (key: KeyObject): KeyObject => (key.type === 'private' ? createPublicKey(key) : key)

/** First 16 hex digits of the SHA-256 of the public key (SPKI, DER): how a key is called. */
export const keyIdOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(publicOf(key).export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)

/** The public key as it stands in the ledger: SPKI, DER, base64. */
export const publicText = (key: KeyObject): string =>
  publicOf(key).export({ type: 'spki', format: 'der' }).toString('base64')

/** Whether two keys are the same one; their ids are but a part of it, to be read by people. */
export const isSameKey = (a: KeyObject, b: KeyObject): boolean => publicText(a) === publicText(b)

/** Reads a public key from the ledger's form or from PEM. */
export function readPublicKey(text: string): E.Either<string, KeyObject> {
  try {
    const key = text.includes('-----BEGIN')
      ? createPublicKey(text)
      : createPublicKey({ key: Buffer.from(text, 'base64'), type: 'spki', format: 'der' })
    return key.asymmetricKeyType === 'ed25519' ? E.right(key) : E.left('it is no Ed25519 key')
  } catch {
    return E.left('it is no public key in PEM form')
  }
}

export function signText(statement: string, privateKey: KeyObject): Signed {
  return { statement, signature: sign(null, Buffer.from(statement), privateKey).toString('base64') }
}

export const isSignedBy = ({ statement, signature }: Signed, publicKey: KeyObject): boolean =>
  verify(null, Buffer.from(statement), publicOf(publicKey), Buffer.from(signature, 'base64'))

/** One key vouches for the one that follows it. */
export const KeyStatement = record({
  type: t.literal('segue-key/1'),
  key: t.string,
  publicKey: t.string,
  by: t.string,
  at: t.number,
})

/** A statement by which `by` says that `key` signs from now on. */
export function endorse(next: KeyObject, by: KeyObject, at: number): Signed {
  const statement = { type: 'segue-key/1', key: keyIdOf(next), publicKey: publicText(next), by: keyIdOf(by), at }
  return signText(canonicalJson(statement), by)
}
