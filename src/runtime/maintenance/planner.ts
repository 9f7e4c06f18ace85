import type { ServerState } from '../../actors/index.js'
import { derivedId, type MaintenancePlan } from '../../events/index.js'
import { windowsOf } from './recurrence.js'

/** How far ahead the windows of a plan are scheduled. */
export const scheduledAheadMs = 35 * 86_400_000
const planEveryMs = 3_600_000

export interface PlannerOptions {
  readonly now: () => number
  readonly servers: () => ReadonlyArray<ServerState>
  /** Records a fact of a server; the same id is recorded once. */
  readonly tell: (
    server: string,
    fact: { readonly id: string; readonly type: string; readonly data: unknown },
  ) => Promise<unknown>
  readonly warn: (message: string) => void
}

/** Schedules the windows of recurring plans as their time draws near. */
export class MaintenancePlanner {
  readonly #options: PlannerOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: PlannerOptions) {
    this.#options = options
  }

  /** At once, and every hour from then on. */
  start(): void {
    void this.#planAll()
    this.#timer = setInterval(() => void this.#planAll(), planEveryMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /**
   * Schedules the windows of one plan that come after the last one which was: what was cancelled alone stays so.
   * @throws CalendarError
   */
  async plan(server: string, plan: MaintenancePlan): Promise<void> {
    const now = this.#options.now()
    const through = this.#scheduledThrough(server, plan.plan)
    for (const window of windowsOf(plan, now, now + scheduledAheadMs)) {
      if (through !== null && window.from <= through) continue
      const { from, until, window: name } = window
      const id = derivedId(from, 'maintenance', server, name, until, now)
      await this.#options.tell(server, { id, type: 'MaintenanceScheduled', data: window })
    }
  }

  #scheduledThrough(server: string, plan: string): number | null {
    const state = this.#options.servers().find((each) => each.server === server)
    return state?.maintenance.plans.find((each) => each.plan === plan)?.scheduledThrough ?? null
  }

  async #planAll(): Promise<void> {
    for (const { server, maintenance } of this.#options.servers()) {
      for (const plan of maintenance.plans) {
        await this.plan(server, plan).catch((error: unknown) => {
          const why = error instanceof Error ? error.message : String(error)
          this.#options.warn(`maintenance plan ${plan.plan} of ${server}: ${why}`)
        })
      }
    }
  }
}
