import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { describeErrors } from '../../events/index.js'
import { makeFolder } from '../../events/stores/folder.js'

const Part = t.type({ table: t.string, file: t.string, rows: t.number })

const Written = t.union([t.string, t.null])

const Manifest = t.type({
  segueExport: t.literal(1),
  /** What was asked for: only the same may be resumed. */
  asked: t.type({
    log: t.string,
    format: t.string,
    tables: t.array(t.string),
    from: t.union([t.number, t.null]),
    until: t.union([t.number, t.null]),
    /** The same as they were written: `7d` is another moment each time. Older exports do not tell. */
    written: t.union([t.type({ from: Written, until: Written }), t.undefined]),
  }),
  /** Last position of the log that belongs to the export; null: the log was empty. */
  head: t.union([t.string, t.null]),
  /** Where streams were cut when the export had come to `through`; older exports do not tell. */
  cuts: t.union([t.record(t.string, t.number), t.undefined]),
  /** Position up to which tables of single events are written. */
  through: t.union([t.string, t.null]),
  chunks: t.number,
  parts: t.array(Part),
  finished: t.boolean,
})
export type Manifest = t.TypeOf<typeof Manifest>

/** The folder cannot take this export. */
export class ExportRefused extends Error {
  readonly _tag = 'ExportRefused'
}

const fileIn = (dir: string): string => join(dir, 'export.json')

/** Makes the folder ready: empty, or with an unfinished export of the same, whose times
 * then hold. @throws ExportRefused */
export function openManifest(dir: string, asked: Manifest['asked']): Manifest {
  try {
    makeFolder(dir)
    statSync(dir)
  } catch (error) {
    throw new ExportRefused(
      `the folder ${dir} cannot be made: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  const fresh: Manifest = {
    ...{ segueExport: 1, asked, head: null, cuts: undefined, through: null, chunks: 0, parts: [], finished: false },
  }
  if (!existsSync(fileIn(dir))) {
    if (readdirSync(dir).length === 0) return fresh
    throw new ExportRefused(`${dir} is not empty, and holds no unfinished export: give another folder, or empty it`)
  }
  const found = Manifest.decode(parsed(dir))
  if (E.isLeft(found))
    throw new ExportRefused(`${fileIn(dir)} is damaged (${describeErrors(found.left, 1)}): empty the folder`)
  if (found.right.finished) throw new ExportRefused(`${dir} holds a finished export: give another folder, or empty it`)
  if (!isSame(found.right.asked, asked)) {
    throw new ExportRefused(
      `${dir} holds an unfinished export of something else: ask for the same, or give another folder`,
    )
  }
  return found.right
}

/** Times may be those that were meant when the export began. */
function isSame(before: Manifest['asked'], now: Manifest['asked']): boolean {
  const isSameTime = (end: 'from' | 'until'): boolean => {
    const written = before.written?.[end] ?? null
    return before[end] === now[end] || (written !== null && written === now.written?.[end])
  }
  const others = ({ log, format, tables }: Manifest['asked']): string => JSON.stringify([log, format, tables])
  return isSameTime('from') && isSameTime('until') && others(before) === others(now)
}

function parsed(dir: string): unknown {
  try {
    return JSON.parse(readFileSync(fileIn(dir), 'utf8')) as unknown
  } catch {
    return null
  }
}

/** Whole or not at all, whatever is killed. */
export function saveManifest(dir: string, manifest: Manifest): void {
  const draft = `${fileIn(dir)}.part`
  writeFileSync(draft, `${JSON.stringify(manifest, null, 2)}\n`, { flush: true })
  renameSync(draft, fileIn(dir))
}
