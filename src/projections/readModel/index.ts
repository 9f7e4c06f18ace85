import { dailyProjection } from './daily.js'
import { fleetProjection } from './fleet.js'
import { handoversProjection } from './handovers.js'
import { modelsProjection } from './models.js'
import { predictionsProjection } from './predictions.js'
import type { Projection } from './projection.js'
import { sessionsProjection } from './sessions.js'
import { streamsProjection } from './streams.js'
import { trainingProjection } from './training.js'

export { dailyHandovers, dailyServers } from './daily.js'
export { dayOf } from './day.js'
export { servers } from './fleet.js'
export { handovers, handoverSteps } from './handovers.js'
export { models } from './models.js'
export { predictions } from './predictions.js'
export { anyTable, type Change, type Happened, type Projection, type Rows } from './projection.js'
export { clientSessions, clientSwitches } from './sessions.js'
export { streams } from './streams.js'
export type { Column, Columns, ColumnType, Row, RowIn, RowOf, Table } from './table.js'
export { quietStrideFor, trainingProjection, trainingWindows } from './training.js'

/** Everything that is made of a log. */
export const projections: ReadonlyArray<Projection> = [
  fleetProjection,
  streamsProjection,
  handoversProjection,
  sessionsProjection,
  predictionsProjection,
  trainingProjection,
  dailyProjection,
  modelsProjection,
]
