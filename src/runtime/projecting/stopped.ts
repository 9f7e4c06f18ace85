import type { Table } from '../../projections/readModel/index.js'
import { readCheckpoint, type Failure } from './checkpoints.js'
import type { ReadModel } from './openReadModel.js'

/** A projection has stopped at an event: its tables end there, whatever the log holds. */
export class ProjectionStopped extends Error {
  readonly _tag = 'ProjectionStopped'
}

/** In one sentence: which projection stopped where, and why. */
export const stoppedText = (name: string, { streamId, revision, type, position, reason }: Failure): string =>
  `${name} stopped at ${streamId}, revision ${revision} (${type}, position ${position}): ${reason}`

/** That what these tables hold is all that follows from the log. @throws ProjectionStopped */
export function demandRunning({ db, projections }: ReadModel, tables: ReadonlyArray<Pick<Table, 'name'>>): void {
  const names = new Set(tables.map(({ name }) => name))
  const stopped = projections
    .filter((each) => each.tables.some(({ name }) => names.has(name)))
    .flatMap(({ name }) => {
      const failure = readCheckpoint(db, name)?.failure ?? null
      return failure === null ? [] : [`projection ${stoppedText(name, failure)}`]
    })
  if (stopped.length === 0) return
  throw new ProjectionStopped(
    `${stopped.join('; ')}. What follows would be missing; try the event again with "segue projections update --retry"`,
  )
}
