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

/** Asks a log what other rules would have decided. @throws StoreCorrupt, StoreUnavailable, ModelUnknown */
export async function askLog({ log, alternatives, model }: WhatIfRequest): Promise<WhatIfResult> {
  await shelveModels(modelsBeside(log))
  const store = await openStore(log, { readOnly: true })
  try {
    const cuts = await presentCuts(store)
    const statesAt = (id: string, revision: number): unknown =>
      cuts.get(id)?.revision === revision ? cuts.get(id)?.states : undefined
    if (model === undefined) return await whatIf(store.readAll(), alternatives, undefined, statesAt)
    const models = new Map<string, Alternative['model']>()
    for await (const { type, data } of store.readAll()) {
      if (type !== 'ModelActivated') continue
      const { model: id, weights, artifact = null } = data as Omit<ActivatedModel, 'artifact'> & Partial<ActivatedModel>
      models.set(id, { model: id, weights, artifact })
    }
    const found = models.get(model)
    if (found === undefined) {
      throw new ModelUnknown(
        `the log has activated no model ${model}; it has ${[...models.keys()].join(', ') || 'none'}`,
      )
    }
    return await whatIf(
      store.readAll(),
      alternatives.map((alternative) => ({ ...alternative, model: found })),
      undefined,
      statesAt,
    )
  } finally {
    await store.close()
  }
}
