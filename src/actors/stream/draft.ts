import type { EventIn } from '../../events/index.js'
import type { Draft } from '../decider.js'
import type { StreamState } from './state.js'

/** What the rules of a stream write their decisions to. */
export type StreamDraft = Draft<'stream', StreamState>
export type Fact<T extends EventIn<'stream'>['type']> = Extract<EventIn<'stream'>, { readonly type: T }>
