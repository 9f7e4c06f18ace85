import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { connectionText, type StoreConnection } from '../../events/stores/index.js'

/** Where the projections of a log are kept when nobody says so: beside its file, or below the data root. */
export function readModelPath(log: StoreConnection, dataRoot: string): string {
  if (log.type === 'sqlite') return join(dirname(log.path), 'projections.sqlite')
  const name = createHash('sha256').update(connectionText(log)).digest('hex').slice(0, 16)
  return join(dataRoot, 'projections', `${name}.sqlite`)
}
