import type { Clock, IncomingFact, ModelState, ServerState } from '../../actors/index.js'
import { timeOrderedId } from '../../events/index.js'
import { incidentsMin } from '../../model/evaluation/index.js'

export interface TrainingScheduleOptions {
  readonly clock: Clock
  /** Milliseconds between two trainings; 0: only on drift, and when somebody asks. */
  readonly everyMs: number
  readonly model: () => ModelState | null
  readonly servers: () => ReadonlyArray<ServerState>
  readonly request: (fact: IncomingFact) => Promise<unknown>
  readonly warn: (message: string) => void
}

const lookEveryMs = 60_000

/** Asks for a training when the last one is long enough ago, and incidents have been recorded to learn from. */
export class TrainingSchedule {
  readonly #options: TrainingScheduleOptions
  readonly #startedAt: number
  #cancel: () => void = () => undefined

  constructor(options: TrainingScheduleOptions) {
    this.#options = options
    this.#startedAt = options.clock.now()
  }

  start(): void {
    const { everyMs, clock } = this.#options
    if (everyMs <= 0) return
    this.#cancel = clock.after(Math.min(lookEveryMs, everyMs), () => {
      this.look()
      this.start()
    })
  }

  stop(): void {
    this.#cancel()
  }

  /** Asks now, if it is time. */
  look(): void {
    const { clock, model, servers, everyMs, request, warn } = this.#options
    const state = model()
    const now = clock.now()
    if (state === null || state.training !== null) return
    if (now - (state.trainingEndedAt ?? this.#startedAt) < everyMs) return
    const incidents = servers().reduce((sum, { history }) => sum + history.onsets.length, 0)
    if (incidents < incidentsMin) return
    const data = { trigger: 'schedule', by: 'the schedule' }
    request({ id: timeOrderedId(now), type: 'TrainingRequested', data }).catch((error: unknown) =>
      warn(`training was not asked for: ${error instanceof Error ? error.message : String(error)}`),
    )
  }
}
