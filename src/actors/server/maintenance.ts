import type { EventIn, MaintenancePlan, MaintenanceWindow } from '../../events/index.js'
import { maintenanceLeadMs } from '../../model/index.js'
import type { Draft } from '../decider.js'
import type { ServerState } from './state.js'

export interface ScheduledPlan extends MaintenancePlan {
  /** When the last of its windows begins that has been scheduled, Unix milliseconds; null: none has. */
  readonly scheduledThrough: number | null
}

/** What is planned for a server, and the window for which it is being left or kept empty. */
export interface Maintenance {
  readonly plans: ReadonlyArray<ScheduledPlan>
  /** Windows to come and the open one, by their beginning. */
  readonly windows: ReadonlyArray<MaintenanceWindow>
  /** `id` is the event that asked the streams to leave. */
  readonly due: { readonly id: string; readonly window: MaintenanceWindow } | null
}

export const noMaintenance: Maintenance = { plans: [], windows: [], due: null }

/** Windows that are remembered of a server; what lies furthest ahead is dropped. */
const windowsMax = 1_000
const plansMax = 100

/** Windows of a plan are named after it. */
export const windowOfPlan = (plan: string, name: string): string => `${plan}@${name}`

type ServerEvent = EventIn<'server'>

/** Applies what has to do with maintenance; the same object for everything else. */
export function evolveMaintenance(maintenance: Maintenance, event: ServerEvent): Maintenance {
  const { plans, windows } = maintenance
  switch (event.type) {
    case 'MaintenanceScheduled': {
      const others = windows.filter(({ window }) => window !== event.data.window)
      const all = [...others, event.data].sort((a, b) => a.from - b.from || (a.window < b.window ? -1 : 1))
      return {
        ...maintenance,
        windows: all.slice(0, windowsMax),
        plans: plans.map((plan) => scheduled(plan, event.data)),
      }
    }
    case 'MaintenanceCancelled':
      return { ...maintenance, windows: windows.filter(({ window }) => window !== event.data.window) }
    case 'MaintenancePlanned': {
      const others = plans.filter(({ plan }) => plan !== event.data.plan)
      const before = plans.find(({ plan }) => plan === event.data.plan)
      const plan = { ...event.data, scheduledThrough: before?.scheduledThrough ?? null }
      return { ...maintenance, plans: [...others, plan].slice(-plansMax) }
    }
    case 'MaintenancePlanCancelled': {
      const { plan } = event.data
      return {
        ...maintenance,
        plans: plans.filter((each) => each.plan !== plan),
        windows: windows.filter(({ window }) => !window.startsWith(windowOfPlan(plan, ''))),
      }
    }
    case 'MaintenanceDue':
      return { ...maintenance, due: { id: event.id, window: event.data } }
    case 'MaintenanceEnded': {
      const { window: ended, outcome } = event.data
      return {
        ...maintenance,
        windows: outcome === 'postponed' ? windows : windows.filter(({ window }) => window !== ended),
        due: null,
      }
    }
    default:
      return maintenance
  }
}

function scheduled(plan: ScheduledPlan, { window, from }: MaintenanceWindow): ScheduledPlan {
  if (!window.startsWith(windowOfPlan(plan.plan, ''))) return plan
  return { ...plan, scheduledThrough: Math.max(plan.scheduledThrough ?? from, from) }
}

/** Milliseconds until the next window opens, 0 or less within one; null: none is planned. */
export function untilWindowMs({ windows }: Maintenance, now: number): number | null {
  const next = windows.find(({ until }) => until > now)
  return next === undefined ? null : next.from - now
}

export const leadMsOf = (state: ServerState): number => maintenanceLeadMs(state.window.entries.at(-1)?.intervalMs ?? 0)

/** Begins to leave a server in time for its next window, and lets streams back when it is over or called off. */
export function reviewMaintenance(draft: Draft<'server', ServerState>): void {
  const { now } = draft
  const { due, windows } = draft.state.maintenance
  if (due === null) return begin(draft)
  const { window } = due.window
  const present = windows.find((each) => each.window === window)
  const end = (outcome: 'over' | 'cancelled' | 'postponed'): void => {
    draft.emit({ type: 'MaintenanceEnded', data: { window, outcome } })
    begin(draft)
  }
  if (present === undefined) return end('cancelled')
  if (now >= present.until) return end('over')
  if (present.from - leadMsOf(draft.state) > now) return end('postponed')
}

function begin(draft: Draft<'server', ServerState>): void {
  const { now, state } = draft
  const leadMs = leadMsOf(state)
  const next = state.maintenance.windows.find(({ from, until }) => from - leadMs <= now && now < until)
  if (next !== undefined) draft.emit({ type: 'MaintenanceDue', data: next })
}
