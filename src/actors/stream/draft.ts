import type { Draft } from '../decider.js'
import type { StreamState } from './state.js'

/** What the rules of a stream write their decisions to. */
export type StreamDraft = Draft<'stream', StreamState>
export type { Of as Fact } from './streamEvent.js'
