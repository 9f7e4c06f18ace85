import type { EventIn } from '../../events/index.js'

export type StreamEvent = EventIn<'stream'>
/** The events of one type. */
export type Of<T extends StreamEvent['type']> = Extract<StreamEvent, { readonly type: T }>
