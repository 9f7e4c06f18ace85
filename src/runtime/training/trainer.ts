import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IncomingFact, ModelTrigger } from '../../actors/index.js'
import { derivedId, timeOfId } from '../../events/index.js'
import type { StoreConnection } from '../../events/stores/index.js'
import { priorPath } from '../evaluation/prior.js'
import { keepModel } from '../models/index.js'
import { errorMessage } from '../systemError.js'
import type { TrainingTask } from './trainFromLog.js'
import { startTraining, type RunningTraining, type TrainingAnswer } from './training.js'

export interface TrainerOptions {
  readonly log: StoreConnection
  /** Where the models of the log are. */
  readonly folder: string
  /** False alarms a server-day. */
  readonly budget: number
  /** Begins a training; default: in a thread of its own. */
  readonly start?: (task: TrainingTask) => RunningTraining
}

export interface WantedTraining {
  /** Event that ordered it. */
  readonly reference: string
  readonly trigger: ModelTrigger
  /** Artifact of the model in force; null: none is, the shipped one is compared with. */
  readonly champion: string | null
}

/** Trains models for a control plane, one at a time, and keeps them beside its log. */
export class Trainer {
  readonly #options: TrainerOptions
  #running: RunningTraining | null = null
  /** What is trained now; null: the process ends, or nothing was wanted yet. */
  #wanted: WantedTraining | null = null
  #closed = false

  constructor(options: TrainerOptions) {
    this.#options = options
  }

  /**
   * Trains a model, and answers the fact that says what came of it; null when the process ends meanwhile, or another
   * training is wanted: the same one against another model, or a later one. The fact has the same id whenever it is made for
   * the same order.
   */
  async train(wanted: WantedTraining): Promise<IncomingFact | null> {
    if (this.#closed) return null
    this.#wanted = wanted
    const answer = await this.#answerTo(wanted).catch((error: unknown): TrainingAnswer => ({
      type: 'failed',
      reason: errorMessage(error),
    }))
    return answer !== null && this.#isWanted(wanted) ? factOf(wanted, answer) : null
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wanted = null
    await this.#running?.cancel()
  }

  #isWanted(wanted: WantedTraining): boolean {
    return this.#wanted === wanted
  }

  /** Null as soon as it is not wanted any more. */
  async #answerTo(wanted: WantedTraining): Promise<TrainingAnswer | null> {
    const { log, folder, budget, start = startTraining } = this.#options
    await this.#running?.cancel()
    const shipped = await readFile(priorPath)
    const { champion } = wanted
    const inForce = champion === null ? shipped : await readFile(join(folder, `${champion}.bin`))
    if (!this.#isWanted(wanted)) return null
    const running = start({ log, budget, champion: inForce, shipped })
    this.#running = running
    const answer = await running.answer
    if (this.#running === running) this.#running = null
    if (!this.#isWanted(wanted)) return null
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
