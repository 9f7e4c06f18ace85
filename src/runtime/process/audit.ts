import type { KeyObject } from 'node:crypto'
import { dirname } from 'node:path'
import { ruleBook } from '../../actors/index.js'
import type { Signed } from '../../events/integrity/index.js'
import { openStore, type StoreConnection } from '../../events/stores/index.js'
import { auditLog, buildDossier, type AuditResult, type DossierFile } from '../../projections/index.js'
import { modelsBeside, shelveModels } from '../models/index.js'
import { keysIn, listKeys, readPublicKeyFile } from '../ledger/index.js'

export interface KeySources {
  /** Files of public keys; when given, they alone are trusted. */
  readonly keyFiles: ReadonlyArray<string>
  /** A folder of keys. */
  readonly keysDir?: string
  /** The log: a file's keys are looked for beside it. */
  readonly log?: StoreConnection
}

/** The public keys to trust: those named, or those of the folder, or those beside the log. @throws KeysUnusable */
export async function trustedKeys({ keyFiles, keysDir, log }: KeySources): Promise<ReadonlyArray<KeyObject>> {
  if (keyFiles.length > 0) return Promise.all(keyFiles.map(readPublicKeyFile))
  const dir = keysDir ?? (log?.type === 'sqlite' ? keysIn(dirname(log.path)) : undefined)
  return dir === undefined ? [] : (await listKeys(dir)).map(({ publicKey }) => publicKey)
}

export interface AuditRequest {
  readonly log: StoreConnection
  readonly trusted: ReadonlyArray<KeyObject>
  readonly anchors: ReadonlyArray<Signed>
}

/** Audits a log without changing it. @throws StoreCorrupt, StoreUnavailable, ModelUnusable, ModelMissing */
export async function auditStore({ log, trusted, anchors }: AuditRequest): Promise<AuditResult> {
  await shelveModels(modelsBeside(log))
  const store = await openStore(log, { readOnly: true })
  try {
    return await auditLog(store, { book: ruleBook, trusted, anchors })
  } finally {
    await store.close()
  }
}

/** The dossier of one handover. @throws StoreCorrupt, StoreUnavailable, DossierUnavailable */
export async function dossierOf(log: StoreConnection, handover: string): Promise<DossierFile> {
  await shelveModels(modelsBeside(log))
  const store = await openStore(log, { readOnly: true })
  try {
    return await buildDossier(store, handover)
  } finally {
    await store.close()
  }
}
