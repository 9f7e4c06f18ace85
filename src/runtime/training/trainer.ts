import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IncomingFact, ModelTrigger } from '../../actors/index.js'
import { derivedId, timeOfId } from '../../events/index.js'
import type { StoreConnection } from '../../events/stores/index.js'
import { priorPath } from '../evaluation/prior.js'
import { keepModel } from '../models/index.js'
import { errorMessage } from '../systemError.js'
import { startTraining, type RunningTraining, type TrainingAnswer } from './training.js'

export interface TrainerOptions {
  readonly log: StoreConnection
  /** Where the models of the log are. */
  readonly folder: string
  /** False alarms a server-day. */
  readonly budget: number
}

export interface WantedTraining {
  /** Event that ordered it. */
  readonly reference: string
  readonly trigger: ModelTrigger
  /** Artifact of the model in force; null: none is, the shipped one is compared with. */
  readonly champion: string | null
}

/** Trains models for a control plane, and keeps them beside its log. */
export class Trainer {
  readonly #options: TrainerOptions
  #running: RunningTraining | null = null
  #closed = false

  constructor(options: TrainerOptions) {
    this.#options = options
  }

  /**
   * Trains a model, and answers the fact that says what came of it; null when the process ends meanwhile. The fact has the
   * same id whenever it is made for the same order.
   */
  async train(wanted: WantedTraining): Promise<IncomingFact | null> {
    const answer = await this.#answerTo(wanted).catch((error: unknown): TrainingAnswer => ({
      type: 'failed',
      reason: errorMessage(error),
    }))
    return this.#closed ? null : factOf(wanted, answer)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running?.cancel()
  }

  async #answerTo({ champion }: WantedTraining): Promise<TrainingAnswer> {
    const { log, folder, budget } = this.#options
    const shipped = await readFile(priorPath)
    const inForce = champion === null ? shipped : await readFile(join(folder, `${champion}.bin`))
    this.#running = startTraining({ log, budget, champion: inForce, shipped })
    const answer = await this.#running.answer
    this.#running = null
    if (answer.type === 'trained') await keepModel(folder, answer.trained.bytes)
    return answer
  }
}

/** What a model's stream is told of a training. */
export function factOf({ reference, trigger }: WantedTraining, answer: TrainingAnswer): IncomingFact {
  const told =
    answer.type === 'trained'
      ? { type: 'ModelTrained', data: { ...answer.trained.recorded, trigger } }
      : { type: 'TrainingFailed', data: { trigger, reason: answer.reason } }
  return { id: derivedId(timeOfId(reference), 'training', reference), ...told, causationId: reference }
}
