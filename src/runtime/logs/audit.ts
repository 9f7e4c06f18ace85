import type { KeyObject } from 'node:crypto'
import { dirname, join } from 'node:path'
import { ruleBook } from '../../actors/index.js'
import { archivesIn, eventsInFile, eventsTable, fileSha256, withArchive } from '../../events/stores/archive/index.js'
import type { Signed } from '../../events/integrity/index.js'
import { openStore, type StoreConnection } from '../../events/stores/index.js'
import {
  auditLog,
  auditOfParts,
  buildDossier,
  type AuditedArchive,
  type AuditResult,
  type DossierFile,
} from '../../projections/index.js'
import { modelsBeside, shelveModels } from '../models/index.js'
import { inParts } from '../parts/index.js'
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
  const { archive: dir, ...without } = log.type === 'memory' ? { ...log, archive: undefined } : log
  const store = await openStore(without, { readOnly: true })
  try {
    const archives = dir === undefined ? [] : await archivesToAudit(dir)
    const damaged = new Set(archives.filter(({ faults }) => faults.length > 0).map(({ sha256 }) => sha256))
    const whole = dir === undefined ? store : await withArchive(store, dir, ({ sha256 }) => !damaged.has(sha256))
    const parts = await inParts(log, 'audit', { trusted, anchors })
    const ofParts = parts === null ? null : await auditOfParts(store, parts)
    return ofParts ?? (await auditLog(whole, { book: ruleBook, trusted, anchors, archives }))
  } finally {
    await store.close()
  }
}

/** What an audit looks at of each archive: whether its files are those that were described. */
export async function archivesToAudit(dir: string): Promise<ReadonlyArray<AuditedArchive>> {
  const archives: AuditedArchive[] = []
  for (const { description, sha256 } of archivesIn(dir)) {
    const faults: AuditedArchive['faults'][number][] = []
    for (const { table, file, sha256: expected } of description.files) {
      const path = join(dir, file)
      const found = await fileSha256(path).catch(() => null)
      if (found === expected) continue
      const events = table === eventsTable && found !== null ? eventsInFile(path) : null
      faults.push({ message: found === null ? `${path} is gone` : `${path} is not the file that was archived`, events })
    }
    archives.push({ description, sha256, faults })
  }
  return archives
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
