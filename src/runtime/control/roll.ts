import type { RollCall } from '../../messaging/index.js'
import type { FleetIndex } from './fleetIndex.js'

/** What the log knows of servers and routes, for all to compare with what they know. */
export const rollCallOf = (index: FleetIndex): RollCall => ({
  servers: index
    .servers()
    .flatMap(({ server, joined }) => (joined === null ? [] : [{ id: server, bootId: joined.bootId }])),
  streams: index.streams().map(({ stream, opened, epochIssued, sequence }) => ({
    ...{ id: stream, run: opened?.run ?? null },
    ...{ epoch: epochIssued, sequence: sequence as RollCall['streams'][number]['sequence'] },
  })),
})
