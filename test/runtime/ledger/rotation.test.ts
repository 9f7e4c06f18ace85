import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ruleBook } from '../../../src/actors/index.js'
import { endorse, keyIdOf, publicText, type LedgerSigner } from '../../../src/events/integrity/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { auditLog, buildDossier, verifyDossier } from '../../../src/projections/index.js'
import { activeSigner, ensureSigner, listKeys, rotateKey } from '../../../src/runtime/ledger/index.js'
import { appendAll, goldenEvents, keeperOf } from '../../support/ledgeredLog.js'

const golden = goldenEvents('real-leak')

/** A folder of keys that were rotated twice, and the signers of each time. */
async function rotatedTwice(): Promise<ReadonlyArray<LedgerSigner>> {
  const dir = await mkdtemp(join(tmpdir(), 'segue-keys-'))
  try {
    const signers = [await ensureSigner(dir, 1)]
    for (const at of [2, 3]) {
      await rotateKey(dir, at)
      const signer = await activeSigner(dir)
      if (signer !== null) signers.push(signer)
    }
    expect((await listKeys(dir)).map(({ id }) => id)).toEqual(signers.map(({ privateKey }) => keyIdOf(privateKey)))
    return signers
  } finally {
    await rm(dir, { recursive: true })
  }
}

/** A log of which each signer in turn has signed its part of the events. */
async function signedBy(signers: ReadonlyArray<LedgerSigner>) {
  const store = createMemoryStore()
  const ours = signers.map(({ privateKey }) => keyIdOf(privateKey))
  const part = Math.ceil(golden.length / signers.length)
  for (const [index, signer] of signers.entries()) {
    await appendAll(store, golden.slice(index * part, (index + 1) * part))
    await keeperOf(store, { signer, ours }).close()
  }
  return store
}

const audit = async (signers: ReadonlyArray<LedgerSigner>, trusted: ReadonlyArray<KeyObject>) =>
  (await auditLog(await signedBy(signers), { book: ruleBook, trusted })).findings.filter(
    ({ check }) => check === 'signatures',
  )

const verify = async (signers: ReadonlyArray<LedgerSigner>, trusted: ReadonlyArray<KeyObject>) =>
  verifyDossier(JSON.stringify(await buildDossier(await signedBy(signers), 'main-h1')), trusted).problems

/** As keys stood in logs before endorsements of earlier keys were kept. */
const withoutEarlier = (signers: ReadonlyArray<LedgerSigner>): ReadonlyArray<LedgerSigner> =>
  signers.map((signer) => ({ ...signer, earlier: [] }))

describe('a log whose key was rotated twice', () => {
  let [first, second, third]: ReadonlyArray<LedgerSigner> = []
  let all: ReadonlyArray<LedgerSigner> = []
  let known: ReadonlyArray<KeyObject> = []
  beforeAll(async () => {
    all = await rotatedTwice()
    ;[first, second, third] = all
    known = first === undefined ? [] : [first.privateKey]
  })
  const withThird = (): ReadonlyArray<LedgerSigner> => [first, third].filter((each) => each !== undefined)

  test('is believed by who knows the first key, in an audit and a dossier', async () => {
    expect(await audit(all, known)).toEqual([])
    expect(await verify(all, known)).toEqual([])
  })

  test('also when the second key never signed', async () => {
    expect(await audit(withThird(), known)).toEqual([])
    expect(await verify(withThird(), known)).toEqual([])
  })

  test('also when the ledger tells only the newest endorsement of each key', async () => {
    expect(await audit(withoutEarlier(all), known)).toEqual([])
    expect(await verify(withoutEarlier(all), known)).toEqual([])
  })

  test('is not believed when nobody vouches for the key between', async () => {
    expect(await audit(withoutEarlier(withThird()), known)).toHaveLength(1)
    expect((await verify(withoutEarlier(withThird()), known)).join()).toContain('is not trusted here')
  })

  test('is not believed when the endorsement of the key between was forged', async () => {
    const stranger = generateKeyPairSync('ed25519').privateKey
    if (first === undefined || second === undefined || third === undefined) throw new Error('there are no keys')
    const told = { type: 'segue-key/1', key: keyIdOf(second.privateKey), publicKey: publicText(second.privateKey) }
    const claimed = { ...told, by: keyIdOf(first.privateKey), at: 2 }
    const forged = { ...endorse(second.privateKey, stranger, 2), statement: JSON.stringify(claimed) }
    const signers = [first, { ...third, earlier: [forged] }]
    expect(await audit(signers, known)).toHaveLength(1)
    expect((await verify(signers, known)).join()).toContain('is not trusted here')
  })
})
