import { existsSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import {
  againWhileCut,
  decodeEvent,
  parseStreamId,
  type EventIn,
  type EventStore,
  type RecordedEvent,
} from '../../events/index.js'
import { openStore, type StoreConnection } from '../../events/stores/index.js'
import { trainOnLog } from '../../model/evaluation/index.js'
import { decodeModel, encodeModel, type LearnedModel } from '../../model/learners/index.js'
import { artifactOf, openArtifact, weightsFrom } from '../../model/index.js'
import { TrainingLog, gridOf, type LogGrid } from '../../projections/trainingLog/index.js'
import type { Happened } from '../../projections/readModel/index.js'

/** What a training needs; plain data, so that it can be handed to a thread. */
export interface TrainingTask {
  readonly log: StoreConnection
  /** Bytes of the model in force, and of the shipped one. */
  readonly champion: Uint8Array
  readonly shipped: Uint8Array
  /** False alarms a server-day. */
  readonly budget: number
}

type TrainedData = Extract<EventIn<'model'>, { readonly type: 'ModelTrained' }>['data']

/** A model that was trained: its bytes, and what the log records of it. */
export interface TrainedFromLog {
  readonly bytes: Uint8Array
  readonly recorded: Omit<TrainedData, 'trigger'>
  readonly note: string
}

/** Nothing came of a training; the message says why, and what would help. */
export class TrainingImpossible extends Error {
  readonly _tag = 'TrainingImpossible'
}

/** Moments of a log that are held in memory at most, some 420 bytes each; beyond, the newest count. */
export const rowsMax = 300_000

/** A folder of archives comes to be with the first archive. */
function withoutMissingArchive(log: StoreConnection): StoreConnection {
  if (log.type === 'memory' || log.archive === undefined || existsSync(log.archive)) return log
  const { archive: _none, ...bare } = log
  return bare
}

/** Reads the rows to train on out of a log. @throws TrainingImpossible, StoreError */
export async function rowsOfLog(log: StoreConnection): Promise<LogGrid> {
  const store = await openStore(withoutMissingArchive(log), { readOnly: true })
  try {
    return await rowsOfStore(store)
  } finally {
    await store.close()
  }
}

/** As `rowsOfLog`, of a log that is open. */
export const rowsOfStore = (store: Pick<EventStore, 'readAll' | 'cuts'>): Promise<LogGrid> =>
  againWhileCut(store, async () => {
    const rows = new TrainingLog(rowsMax)
    for await (const recorded of store.readAll()) take(rows, recorded)
    const grid = gridOf(rows.rows, rowsMax)
    if (grid !== null) return grid
    throw new TrainingImpossible(
      'the log has no sample of a server that was seen for a whole horizon: let it run longer',
    )
  })

function take(rows: TrainingLog, recorded: RecordedEvent): void {
  const name = parseStreamId(recorded.streamId)
  if (name === null || !rows.wants(name.category, recorded.type)) return
  const event = decodeEvent(name.category, recorded)
  if (E.isLeft(event)) {
    const where = `${recorded.streamId}, event ${recorded.revision}`
    throw new TrainingImpossible(`${where}: ${event.left.message}; the log has to be whole to learn from it`)
  }
  rows.take({ ...name, event: event.right } as Happened)
}

/** Trains a model on a log, and compares it with the one in force. Deterministic. @throws TrainingImpossible, StoreError */
export async function trainFromLog({ log, champion, shipped, budget }: TrainingTask): Promise<TrainedFromLog> {
  const inForce = modelIn(champion, 'the model in force')
  const base = modelIn(shipped, 'the shipped model')
  const grid = await rowsOfLog(log)
  const { origin, stepMs, machines } = grid
  const last = origin + (Math.max(...machines.map(({ rows }) => rows)) - 2) * stepMs
  const id = `log-${new Date(last).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}`
  const trained = trainOnLog(machines, { id, champion: inForce, shipped: base, budget })
  if (E.isLeft(trained)) throw new TrainingImpossible(trained.left.message)
  const { model, note, comparison, cut, rows, positives } = trained.right
  const bytes = encodeModel(model)
  // What cannot be opened again must not be offered.
  const opened = openArtifact(bytes)
  if (E.isLeft(opened)) throw new TrainingImpossible(opened.left.message)
  const until = origin + cut * stepMs
  return {
    bytes,
    note,
    recorded: {
      model: model.id,
      artifact: artifactOf(bytes),
      learner: model.learner,
      weights: weightsFrom(model.groups),
      data: { from: origin, until, rows, positives, servers: machines.length },
      comparison: { ...comparison, against: artifactOf(champion) },
    },
  }
}

function modelIn(bytes: Uint8Array, what: string): LearnedModel {
  const model = decodeModel(bytes)
  if (E.isLeft(model)) throw new TrainingImpossible(`${what}: ${model.left.message}`)
  return model.right
}
