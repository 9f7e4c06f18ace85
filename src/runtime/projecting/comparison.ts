import { openReadModel } from './openReadModel.js'
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

/** Makes all tables a second time, in a file that is thrown away, and compares them with those that are kept. */
export async function compareWithRebuild({ store, model }: Reading): Promise<ReadonlyArray<TableComparison>> {
  // An empty name is a temporary file to SQLite: it may be larger than the memory.
  const again = await openReadModel('', model.projections)
  try {
    await new ProjectionRunner(again, store).catchUp()
    const isCut = (await store.cuts()).size > 0
    return model.projections.flatMap(({ tables, kept = [], interests }) =>
      tables.map((table) => ({
        table: table.name,
        kept: tableDigest(model, table),
        made: tableDigest(again, table),
        archived: isCut && interests.server !== undefined && !kept.some(({ name }) => name === table.name),
      })),
    )
  } finally {
    again.close()
  }
}
