import { openReadModel } from './openReadModel.js'
import { ProjectionRunner } from './runner.js'
import type { Reading } from './session.js'
import { tableDigest } from './status.js'

export interface TableComparison {
  readonly table: string
  /** Digest of the table that is kept, and of the one that was made of the log just now. */
  readonly kept: string
  readonly made: string
}

/** Makes all tables a second time, in a file that is thrown away, and compares them with those that are kept. */
export async function compareWithRebuild({ store, model }: Reading): Promise<ReadonlyArray<TableComparison>> {
  // An empty name is a temporary file to SQLite: it may be larger than the memory.
  const again = await openReadModel('', model.projections)
  try {
    await new ProjectionRunner(again, store).catchUp()
    return model.projections.flatMap(({ tables }) =>
      tables.map((table) => ({
        table: table.name,
        kept: tableDigest(model, table),
        made: tableDigest(again, table),
      })),
    )
  } finally {
    again.close()
  }
}
