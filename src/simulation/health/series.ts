import type { Series } from '../../model/evaluation/index.js'
import { seededRandom } from '../../model/learners/index.js'
import { fleetSeries } from './fleet.js'
import { columns, type FleetOptions, type ServerSeries } from './server.js'

export interface FleetShape {
  readonly family: string
  readonly seed: number
  readonly servers: number
  readonly options: FleetOptions
}

/** A simulated fleet in the form of recorded data sets, with the kind of each incident. */
export const simulatedFleet = ({
  family,
  seed,
  servers,
  options,
}: FleetShape): ReadonlyArray<{ readonly series: Series; readonly kinds: ServerSeries['kinds'] }> =>
  fleetSeries(seededRandom(seed), servers, options).map((server, index) => ({
    kinds: server.kinds,
    series: {
      machine: `${family}-${String(index).padStart(4, '0')}`,
      family,
      stepMs: options.stepS * 1_000,
      columns,
      calibrationRows: server.calibrationRows,
      rows: server.rows - server.calibrationRows,
      values: server.values,
      runs: server.runs,
      isSimulated: true,
    },
  }))
