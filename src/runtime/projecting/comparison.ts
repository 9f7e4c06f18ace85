import type { Position } from '../../events/index.js'
import { readCheckpoint, readLacking } from './checkpoints.js'
import { openReadModel, type ReadModel } from './openReadModel.js'
import { ProjectionRunner } from './runner.js'
import type { Reading } from './session.js'
import { tableDigest } from './status.js'

export interface TableComparison {
  readonly table: string
  /** Digest of the table that is kept, and of the one that was made of the log just now. */
  readonly kept: string
  readonly made: string
  /** Follows from events that are archived, and of which no rows were kept: it cannot be made again without them. */
  readonly archived: boolean
}

/**
 * Makes all tables a second time, in a file that is thrown away, and compares them with those that are kept: as both were
 * when this began, whatever is appended or projected meanwhile.
 */
export async function compareWithRebuild({ store, model }: Reading): Promise<ReadonlyArray<TableComparison>> {
  const kept = keptTables(model)
  // An empty name is a temporary file to SQLite: it may be larger than the memory.
  const again = await openReadModel('', model.projections)
  try {
    await new ProjectionRunner(again, store, { ends: kept.positions }).catchUp()
    const isCut = (await store.cuts()).size > 0
    return model.projections.flatMap(({ name, tables, kept: surviving = [], interests }) =>
      tables.map((table) => ({
        table: table.name,
        kept: kept.digests.get(table.name) ?? '',
        made: tableDigest(again, table),
        archived:
          isCut &&
          interests.server !== undefined &&
          (readLacking(again.db, name).size > 0 || !surviving.some((each) => each.name === table.name)),
      })),
    )
  } finally {
    again.close()
  }
}

interface KeptTables {
  /** Of each table. */
  readonly digests: ReadonlyMap<string, string>
  /** Of each projection, the last event that it has seen. */
  readonly positions: ReadonlyMap<string, Position | null>
}

/** All of one moment: another process may be bringing them up to date. */
const keptTables = (model: ReadModel): KeptTables =>
  model.db.transaction(() => ({
    digests: new Map(
      model.projections.flatMap(({ tables }) => tables.map((table) => [table.name, tableDigest(model, table)])),
    ),
    positions: new Map(model.projections.map(({ name }) => [name, readCheckpoint(model.db, name)?.position ?? null])),
  }))()
