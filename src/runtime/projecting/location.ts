import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { StoreConnection } from '../../events/stores/index.js'

/**
 * Where the projections of a log are kept when nobody says so: beside its file, or below the data root, which is the same
 * one for a control plane and for commands.
 */
export function readModelPath(log: StoreConnection, dataRoot: string): string {
  if (log.type === 'sqlite') return join(dirname(log.path), 'projections.sqlite')
  const name = createHash('sha256').update(identityOf(log)).digest('hex').slice(0, 16)
  return join(dataRoot, 'projections', `${name}.sqlite`)
}

/** What makes a log this one, whoever reads it, with whatever rights and patience. */
function identityOf(log: StoreConnection): string {
  if (log.type !== 'eventstoredb') return log.type
  const { discover, hosts, namespace } = log.address
  const names = hosts.map(({ address, port }) => `${address.toLowerCase()}:${port}`).toSorted()
  return JSON.stringify([discover, names, namespace])
}
