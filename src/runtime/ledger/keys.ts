import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { describeErrors } from '../../events/index.js'
import { endorse, keyIdOf, readPublicKey, Signed, type LedgerSigner } from '../../events/integrity/index.js'
import { errorMessage } from '../systemError.js'

/** A folder of keys, or a key in it, cannot be used; the message says which and what to do. */
export class KeysUnusable extends Error {
  readonly _tag = 'KeysUnusable'
}

/** A key of the ledger. */
export interface LedgerKeyInfo {
  /** First 16 hex digits of the SHA-256 of the public key. */
  readonly id: string
  /** Unix time in milliseconds. */
  readonly createdAt: number
  /** Signs at present. */
  readonly active: boolean
  /** The key that vouched for it; null for the first. */
  readonly endorsedBy: string | null
  readonly publicKey: KeyObject
  /** Where its public part is. */
  readonly publicPath: string
}

const Meta = t.readonly(t.type({ createdAt: t.number, endorsement: t.union([Signed, t.null]) }))
type Meta = t.TypeOf<typeof Meta>

const privatePath = (dir: string, id: string): string => join(dir, `ledger-${id}.pem`)
const publicPath = (dir: string, id: string): string => join(dir, `ledger-${id}.pub.pem`)
const metaPath = (dir: string, id: string): string => join(dir, `ledger-${id}.json`)
const activePath = (dir: string): string => join(dir, 'ledger-active')

/** The keys of a folder, the oldest first; none when there is no such folder. @throws KeysUnusable */
export async function listKeys(dir: string): Promise<ReadonlyArray<LedgerKeyInfo>> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw unusable(`the folder of keys ${dir} cannot be read`, error)
  })
  const ids = names.flatMap((name) => /^ledger-([0-9a-f]{16})\.pub\.pem$/.exec(name)?.[1] ?? [])
  const active = await activeId(dir)
  const keys = await Promise.all(
    ids.map(async (id): Promise<LedgerKeyInfo> => {
      const meta = await readMeta(dir, id)
      const path = publicPath(dir, id)
      const endorsedBy = meta.endorsement === null ? null : signedBy(meta.endorsement)
      const publicKey = await readPublicKeyFile(path)
      return { id, createdAt: meta.createdAt, active: id === active, endorsedBy, publicKey, publicPath: path }
    }),
  )
  return keys.toSorted((a, b) => a.createdAt - b.createdAt)
}

const signedBy = ({ statement }: Signed): string | null => {
  const { by } = JSON.parse(statement) as { readonly by?: unknown }
  return typeof by === 'string' ? by : null
}

/** Reads a public key in PEM form. @throws KeysUnusable */
export async function readPublicKeyFile(path: string): Promise<KeyObject> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(`the public key ${path} cannot be read`, error)
  })
  const key = readPublicKey(text)
  if (E.isLeft(key)) throw new KeysUnusable(`${path} cannot be used: ${key.left}`)
  return key.right
}

/**
 * Makes the first key of a folder. @throws KeysUnusable, also when there is one: then it is a rotation that is wanted.
 */
export async function generateKey(dir: string, now: number): Promise<string> {
  if ((await activeId(dir)) !== null) {
    throw new KeysUnusable(
      `${dir} holds a key already; "segue keys rotate" replaces it and lets it vouch for the new one`,
    )
  }
  return addKey(dir, now, null)
}

/**
 * Makes a new key, lets the old one vouch for it, and removes the old one's private part: what it signed stays
 * verifiable, and nobody can sign with it any more. @throws KeysUnusable
 */
export async function rotateKey(dir: string, now: number): Promise<{ readonly from: string; readonly to: string }> {
  const signer = await activeSigner(dir)
  if (signer === null) throw new KeysUnusable(`${dir} holds no key yet; make one with "segue keys generate"`)
  const from = keyIdOf(signer.privateKey)
  const to = await addKey(dir, now, signer.privateKey)
  await rm(privatePath(dir, from), { force: true })
  return { from, to }
}

/** The key that signs, made when there is none. @throws KeysUnusable */
export async function ensureSigner(dir: string, now: number): Promise<LedgerSigner> {
  const signer = await activeSigner(dir)
  if (signer !== null) return signer
  await generateKey(dir, now)
  const made = await activeSigner(dir)
  if (made === null) throw new KeysUnusable(`the new key in ${dir} is gone again`)
  return made
}

/** The key that signs; null when there is none. @throws KeysUnusable */
export async function activeSigner(dir: string): Promise<LedgerSigner | null> {
  const id = await activeId(dir)
  if (id === null) return null
  const path = privatePath(dir, id)
  const { mode } = await stat(path).catch((error: unknown) => {
    throw unusable(`the private key ${path} cannot be read`, error)
  })
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new KeysUnusable(
      `others may read the private key ${path}: run "chmod 600 ${path}", and think of "segue keys rotate"`,
    )
  }
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(`the private key ${path} cannot be read`, error)
  })
  const { endorsement } = await readMeta(dir, id)
  try {
    const privateKey = createPrivateKey(text)
    if (keyIdOf(privateKey) !== id) throw new KeysUnusable(`${path} holds another key than its name says`)
    return { privateKey, endorsement, earlier: await endorsementsBefore(dir, endorsement) }
  } catch (error) {
    if (error instanceof KeysUnusable) throw error
    // What is in the file is not repeated.
    throw new KeysUnusable(`${path} holds no Ed25519 private key in PEM form`)
  }
}

/** The endorsements behind one, newest first; as far back as the folder tells. */
async function endorsementsBefore(dir: string, newest: Signed | null): Promise<ReadonlyArray<Signed>> {
  const found: Signed[] = []
  const seen = new Set<string>()
  for (let last = newest; last !== null;) {
    const by = signedBy(last)
    if (by === null || seen.has(by)) break
    seen.add(by)
    // What is left of an older key may be gone; that must not keep the present one from signing.
    const meta: Meta | null = await readMeta(dir, by).catch(() => null)
    last = meta?.endorsement ?? null
    if (last !== null) found.push(last)
  }
  return found
}

async function activeId(dir: string): Promise<string | null> {
  const text = await readFile(activePath(dir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw unusable(`${activePath(dir)} cannot be read`, error)
  })
  if (text === null) return null
  const id = text.trim()
  if (/^[0-9a-f]{16}$/.test(id)) return id
  throw new KeysUnusable(`${activePath(dir)} names no key; write the id of one of the keys beside it into it`)
}

async function readMeta(dir: string, id: string): Promise<Meta> {
  const path = metaPath(dir, id)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(`${path} cannot be read`, error)
  })
  try {
    const meta = Meta.decode(JSON.parse(text))
    if (E.isRight(meta)) return meta.right
    throw new KeysUnusable(`${path} cannot be used: ${describeErrors(meta.left)}`)
  } catch (error) {
    throw error instanceof KeysUnusable ? error : new KeysUnusable(`${path} is no JSON`)
  }
}

async function addKey(dir: string, now: number, endorsedBy: KeyObject | null): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const publicKey = createPublicKey(privateKey)
  const id = keyIdOf(publicKey)
  const meta: Meta = { createdAt: now, endorsement: endorsedBy === null ? null : endorse(publicKey, endorsedBy, now) }
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await writeWhole(privatePath(dir, id), privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600)
    await writeWhole(publicPath(dir, id), publicKey.export({ type: 'spki', format: 'pem' }).toString(), 0o644)
    await writeWhole(metaPath(dir, id), `${JSON.stringify(meta)}\n`, 0o644)
    await writeWhole(activePath(dir), `${id}\n`, 0o644)
    return id
  } catch (error) {
    throw unusable(`a key cannot be written to ${dir}`, error)
  }
}

/** Under its name only when it is whole. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode })
  await chmod(`${path}.new`, mode)
  await rename(`${path}.new`, path)
}

const unusable = (what: string, error: unknown): KeysUnusable =>
  new KeysUnusable(`${what} (${errorMessage(error)}); check the path and its permissions`, { cause: error })
