export { clientDecider, type ClientState } from './client/decider.js'
export { systemClock, type Clock } from './clock.js'
export { firstStates, nextStates, stateAfterCut, type CutStates } from './cutStates.js'
export { Draft, type Decider } from './decider.js'
export type { Effect, ModelTrigger } from './effects.js'
export {
  ActorHost,
  type ActorHostOptions,
  type Committed,
  type Deciders,
  type StateByCategory,
} from './host/actorHost.js'
export { EffectRunner, type EffectOutcome, type Interpret } from './host/effectRunner.js'
export { Entity } from './host/entity.js'
export type { IncomingFact } from './host/incomingFact.js'
export { sealed, unsealed, type SnapshotStore } from './host/snapshots.js'
export type { Mailbox, Mailboxes } from './host/mailboxes.js'
export { EventsLost, HistoryUnreadable, HostClosed, InboxFull, MessageRejected } from './host/errors.js'
export { modelDecider } from './model/decider.js'
export { activeModel, type KnownModel, type ModelState } from './model/state.js'
export { serverDecider } from './server/decider.js'
export { bookOf, deciders, ruleBook, ruleOf, versionsOf, type RuleBook } from './rules.js'
export { standingOf, type FleetCondition, type ServerState } from './server/state.js'
export { streamDecider } from './stream/decide.js'
export { routeOf } from './stream/outstanding.js'
export type { StreamState } from './stream/state.js'
