import type { DeadlineStep, EventIn, HandoverCause } from '../events/index.js'
import type { Weights } from '../model/index.js'
import type { Assignment, Route } from '../messaging/index.js'

/** Why a model was trained. */
export type ModelTrigger = Extract<EventIn<'model'>, { readonly type: 'ModelTrained' }>['data']['trigger']

/**
 * What an actor wants of the world, derived from its state alone. `key` names the wish within the entity: a wish with
 * the same key and another content replaces the former, a key that is gone is no longer wanted.
 */
export type Effect =
  /** Tell a media server what it is to be; until it says `done`. */
  | { readonly type: 'assign'; readonly key: string; readonly assignment: Assignment }
  /** Tell every edge who serves the stream; at once and again every second. */
  | { readonly type: 'announce'; readonly key: string; readonly route: Route }
  /** Hand the entity a DeadlinePassed fact at this time (Unix milliseconds). */
  | { readonly type: 'deadline'; readonly key: string; readonly at: number; readonly step: DeadlineStep }
  /** Ask every stream whose primary is `server` to leave it. */
  | {
      readonly type: 'request-handover'
      readonly key: string
      readonly server: string
      readonly cause: HandoverCause
      readonly reference: string
    }
  /** Tell the streams that were asked because of `reference` that it is over. */
  | {
      readonly type: 'withdraw-handover'
      readonly key: string
      readonly server: string
      readonly reference: string
      readonly reason: string
    }
  /** See to it that every server is judged by this model; again and again, for servers that come. */
  | {
      readonly type: 'activate-model'
      readonly key: string
      readonly model: string
      readonly artifact: string
      readonly weights: Weights
      readonly reference: string
    }
  /** Train a model from the log, and tell what became of it; `champion` is the artifact that it is compared with. */
  | {
      readonly type: 'train-model'
      readonly key: string
      readonly reference: string
      readonly trigger: ModelTrigger
      readonly champion: string | null
    }
