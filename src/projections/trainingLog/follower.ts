import { hasLeftInOrder, isOrderly } from '../../actors/server/departure.js'
import type { EventIn } from '../../events/index.js'
import {
  emptyWindow,
  follow,
  isWarm,
  noHistory,
  observe,
  plausible,
  withIncident,
  type FeatureWindow,
  type History,
  type TelemetryMemory,
} from '../../model/index.js'

/** What is remembered of one server while its events are walked through. */
export interface Followed {
  readonly bootId: string | null
  /** The boot that was the last to end because it was asked to. */
  readonly leftInOrder: string | null
  readonly window: FeatureWindow
  readonly telemetry: TelemetryMemory | null
  readonly history: History
  /** Features of the newest sample, in the order of `serverFeatures`; null: no model would have judged by it. */
  readonly vector: Float64Array | null
}

export const unfollowed: Followed = {
  bootId: null,
  leftInOrder: null,
  window: emptyWindow,
  telemetry: null,
  history: noHistory,
  vector: null,
}

/**
 * Takes one event of a server in, as its actor does by the rules in force: what a model sees here is what it saw when it
 * judged. Only where another model was put in force the actor begins its memory anew, and this does not. The vector is
 * valid until the next call.
 */
export function followEvent(before: Followed, event: EventIn<'server'>): Followed {
  switch (event.type) {
    case 'ServerJoined': {
      const { bootId } = event.data
      return bootId === before.bootId ? before : { ...unfollowed, bootId, history: before.history }
    }
    case 'ServerRecovered':
      return { ...unfollowed, bootId: before.bootId, history: before.history }
    case 'ServerLeft': {
      const { bootId, reason } = event.data
      return bootId === before.bootId && isOrderly(reason) ? { ...before, leftInOrder: bootId } : before
    }
    case 'ServerFailed': {
      const { bootId, firstSignalAt } = event.data
      const history = hasLeftInOrder(before, bootId) ? before.history : withIncident(before.history, firstSignalAt)
      return { ...before, history, vector: null }
    }
    case 'HealthSampled':
      return onSample(before, event.data)
    default:
      return before
  }
}

function onSample(
  before: Followed,
  { sample: told, path }: Extract<EventIn<'server'>, { readonly type: 'HealthSampled' }>['data'],
): Followed {
  const sample = plausible(told)
  if (before.bootId !== null && sample.bootId !== before.bootId) return { ...before, vector: null }
  const window = observe(before.window, sample, path)
  const newest = window.entries.at(-1)
  if (window === before.window || newest?.seq !== sample.seq) return { ...before, window, vector: null }
  const { memory, vector } = follow(before.telemetry, newest, before.history)
  return { ...before, window, telemetry: memory, vector: isWarm(memory) ? vector : null }
}
