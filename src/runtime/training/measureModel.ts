import * as E from 'fp-ts/lib/Either.js'
import type { KnownModel } from '../../actors/index.js'
import type { StoreConnection } from '../../events/stores/index.js'
import { openArtifact } from '../../model/index.js'
import { portraitOf, type Portrait, type Stretch } from '../../model/evaluation/index.js'
import { importancesOf, type LearnedModel } from '../../model/learners/index.js'
import { modelCardHtml } from '../../projections/modelCard/index.js'
import { ModelUnusable, readModel } from '../models/index.js'
import { rowsOfLog, TrainingImpossible } from './trainFromLog.js'

export interface CardOptions {
  readonly known: KnownModel
  readonly log: StoreConnection
  /** Where the models of the log are. */
  readonly folder: string
  /** False alarms a server-day. */
  readonly budget: number
  /** What a shipped model is measured on where the log has no incident, with a name for it. */
  readonly otherwise: () => { readonly stretches: ReadonlyArray<Stretch>; readonly name: string }
}

/** The card of a model as HTML, measured on what the log holds after its training data. @throws ModelUnusable, StoreError */
export async function modelCard({ known, log, folder, budget, otherwise }: CardOptions): Promise<string> {
  const opened = openArtifact(await readModel(folder, known.artifact))
  if (E.isLeft(opened)) throw new ModelUnusable(`${folder}/${known.artifact}.bin: ${opened.left.message}`)
  const { model } = opened.right
  const later = await measuredOnLog(model, known, log, budget)
  const { portrait, measuredOn } =
    later.portrait === null && known.data === null ? measuredElsewhere(model, budget, otherwise()) : later
  return modelCardHtml({ known, about: model.about, importance: importancesOf(model), portrait, measuredOn })
}

interface Measured {
  readonly portrait: Portrait | null
  readonly measuredOn: string
}

async function measuredOnLog(
  model: LearnedModel,
  { data }: KnownModel,
  log: StoreConnection,
  budget: number,
): Promise<Measured> {
  const measuredOn = data === null ? 'what the log holds' : 'what the log holds after its training data'
  try {
    const { origin, stepMs, machines } = await rowsOfLog(log)
    const cut = data === null ? 0 : Math.max(0, Math.round((data.until - origin) / stepMs))
    const stretches = machines.map((of): Stretch => ({ of, from: Math.min(cut, of.rows), to: of.rows }))
    return { portrait: portraitOf(model, stretches, budget), measuredOn }
  } catch (error) {
    // A log without a sample that a model would judge: there is nothing to measure on.
    if (error instanceof TrainingImpossible) return { portrait: null, measuredOn }
    throw error
  }
}

const measuredElsewhere = (
  model: LearnedModel,
  budget: number,
  { stretches, name }: ReturnType<CardOptions['otherwise']>,
): Measured => ({ portrait: portraitOf(model, stretches, budget), measuredOn: name })
