import { createHash } from 'node:crypto'
import { canonicalJson } from '../../events/index.js'
import type { Table } from '../../projections/readModel/index.js'
import { beginAnew, readCheckpoint, readLacking, tryAgain, type Checkpoint } from './checkpoints.js'
import type { ReadModel } from './openReadModel.js'
import { rowsOf } from './tableStore.js'

export interface TableStatus {
  readonly name: string
  readonly internal: boolean
  readonly rows: number
}

export interface ProjectionStatus extends Checkpoint {
  readonly tables: ReadonlyArray<TableStatus>
  /** Streams of which tables lack what was archived, because the rows kept of it follow from rules of another version. */
  readonly lacking: ReadonlyArray<{ readonly stream: string; readonly before: number }>
}

/** How far every projection has come, and what it holds. */
export function projectionStatus({ db, projections }: ReadModel): ReadonlyArray<ProjectionStatus> {
  return projections.flatMap(({ name, tables }) => {
    const checkpoint = readCheckpoint(db, name)
    if (checkpoint === null) return []
    const counted = tables.map((table) => ({
      name: table.name,
      internal: table.internal,
      rows: Number(db.prepare(`SELECT count(*) FROM "${table.name}"`).pluck().get()),
    }))
    const lacking = [...readLacking(db, name)].map(([stream, before]) => ({ stream, before }))
    return [{ ...checkpoint, tables: counted, lacking }]
  })
}

/** In a sentence for each: which projections lack what was archived, and how to make it again. */
export const lackingTexts = (all: ReadonlyArray<ProjectionStatus>): ReadonlyArray<string> =>
  all.flatMap(({ name, lacking: [first, ...more] }) =>
    first === undefined
      ? []
      : [
          `${name} lacks what followed from events of ${first.stream} before ${first.before}${more.length === 0 ? '' : ` and of ${more.length} more`}, which are archived: the rows kept of them follow from rules of another version. Make it again: segue projections rebuild ${name} --archive DIR`,
        ],
  )

/** SHA-256 (hex) over all rows of a table by key, each as a line of canonical JSON: equal for equal tables. */
export function tableDigest({ db }: ReadModel, table: Table): string {
  const hash = createHash('sha256')
  for (const row of rowsOf(db, table)) hash.update(`${canonicalJson(row)}\n`)
  return hash.digest('hex')
}

/** Empties projections, so that they are made anew; all of them when none is named. */
export function resetProjections({ db, projections }: ReadModel, names: ReadonlyArray<string> = []): void {
  db.transaction(() => {
    for (const each of projections) if (names.length === 0 || names.includes(each.name)) beginAnew(db, each)
  }).immediate()
}

/** Lets projections that have stopped try the same event again. */
export function retryProjections({ db, projections }: ReadModel): void {
  db.transaction(() => {
    for (const { name } of projections) {
      const checkpoint = readCheckpoint(db, name)
      if (checkpoint !== null) tryAgain(db, checkpoint)
    }
  }).immediate()
}
