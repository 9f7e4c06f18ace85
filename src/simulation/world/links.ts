/** From whom to whom; `*` stands for everybody. */
export type Link = readonly [from: string, to: string]

export type Partition = 'partition-control' | 'partition-peer' | 'partition-viewer' | 'asymmetric'

interface Nodes {
  readonly servers: ReadonlyArray<{ readonly id: string }>
  readonly audience: { readonly seats: ReadonlyArray<{ readonly id: string }> }
}

const bothWays = (server: string, others: ReadonlyArray<{ readonly id: string }>): ReadonlyArray<Link> =>
  others.flatMap(({ id }): ReadonlyArray<Link> => [
    [server, id],
    [id, server],
  ])

/** The links of a server that a partition cuts. */
export function linksOf(kind: Partition, server: string, durationMs: number, nodes: Nodes): ReadonlyArray<Link> {
  switch (kind) {
    case 'partition-control':
      return bothWays(server, [{ id: 'broker' }, { id: 'control' }])
    case 'partition-peer':
      return bothWays(server, nodes.servers)
    case 'partition-viewer':
      return bothWays(server, nodes.audience.seats)
    case 'asymmetric':
      // One way only: it is not heard, or it does not hear.
      return [durationMs % 2 === 0 ? [server, '*'] : ['*', server]]
  }
}
