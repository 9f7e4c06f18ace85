import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import * as E from 'fp-ts/lib/Either.js'
import { StoreCorrupt, StoreUnavailable } from '../../errors.js'
import { sha256Hex } from '../../integrity/index.js'
import { describeErrors } from '../../report.js'
import { ArchiveDescription } from './records.js'

/** An archive in a folder of archives. */
export interface Archive {
  readonly description: ArchiveDescription
  /** SHA-256 (hex) of the file of the description. */
  readonly sha256: string
}

export const descriptionPath = (dir: string, name: string): string => join(dir, `${name}.json`)

/** The archives of a folder by name, oldest first; none where there is no folder. @throws StoreCorrupt, StoreUnavailable */
export function archivesIn(dir: string): ReadonlyArray<Archive> {
  if (!existsSync(dir)) return []
  let names: ReadonlyArray<string>
  try {
    names = readdirSync(dir).filter((name) => name.endsWith('.json'))
  } catch (error) {
    throw new StoreUnavailable(`the folder of archives ${dir} cannot be read: ${String(error)}`, error)
  }
  return names.toSorted().map((name) => readArchive(join(dir, name)))
}

/** Reads the description of an archive. @throws StoreCorrupt */
export function readArchive(path: string): Archive {
  const text = readFileSync(path, 'utf8')
  const found = ArchiveDescription.decode(parsed(text))
  if (E.isLeft(found)) {
    const reason = `is not the description of an archive (${describeErrors(found.left, 1)}); give the folder of the archives alone`
    throw new StoreCorrupt(path, reason)
  }
  return { description: found.right, sha256: sha256Hex(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

/** SHA-256 (hex) of a file. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
