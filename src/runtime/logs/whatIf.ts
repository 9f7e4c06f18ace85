import { againWhileCut, type EventStore } from '../../events/index.js'
import { presentCuts } from '../../events/integrity/index.js'
import { openStore, type StoreConnection } from '../../events/stores/index.js'
import { modelsBeside, shelveModels } from '../models/index.js'
import { whatIf, type Alternative, type WhatIfResult } from '../../projections/index.js'

type ActivatedModel = NonNullable<Alternative['model']>

export interface WhatIfRequest {
  readonly log: StoreConnection
  readonly alternatives: ReadonlyArray<Alternative>
  /** A model that the log must have activated; it is put into every alternative. */
  readonly model?: string
}

/** The model asked for is not in the log; `known` are. */
export class ModelUnknown extends Error {
  readonly _tag = 'ModelUnknown'
}

/**
 * Asks a log what other rules would have decided.
 * @throws StoreCorrupt, StoreUnavailable, ModelUnknown, BeginningMissing
 */
export async function askLog({ log, ...question }: WhatIfRequest): Promise<WhatIfResult> {
  await shelveModels(modelsBeside(log))
  const store = await openStore(log, { readOnly: true })
  try {
    return await askStore(store, question)
  } finally {
    await store.close()
  }
}

/** As `askLog`, of a log that is open. */
export const askStore = (
  store: Pick<EventStore, 'readAll' | 'readStream' | 'cuts'>,
  { alternatives, model }: Omit<WhatIfRequest, 'log'>,
): Promise<WhatIfResult> =>
  againWhileCut(store, async () => {
    const cuts = await presentCuts(store)
    const statesAt = (id: string, revision: number): unknown =>
      cuts.get(id)?.revision === revision ? cuts.get(id)?.states : undefined
    const found = model === undefined ? undefined : await activatedModel(store, model)
    const asked = found === undefined ? alternatives : alternatives.map((each) => ({ ...each, model: found }))
    return whatIf(store.readAll(), asked, undefined, statesAt)
  })

/** A model of the log, as it was activated last. @throws ModelUnknown */
async function activatedModel(store: Pick<EventStore, 'readAll'>, id: string): Promise<ActivatedModel> {
  const models = new Map<string, ActivatedModel>()
  for await (const { type, data } of store.readAll()) {
    if (type !== 'ModelActivated') continue
    const { model, weights, artifact = null } = data as Omit<ActivatedModel, 'artifact'> & Partial<ActivatedModel>
    models.set(model, { model, weights, artifact })
  }
  const found = models.get(id)
  if (found !== undefined) return found
  throw new ModelUnknown(`the log has activated no model ${id}; it has ${[...models.keys()].join(', ') || 'none'}`)
}
