import type { SegueEvent } from '../envelope.js'
import { AppendTooLarge } from '../errors.js'
import { appendBytesMax } from '../store.js'

/** The parts of an event that are kept as JSON text. */
export interface EventText {
  readonly data: string
  readonly metadata: string
}

export const textOf = (event: SegueEvent): EventText => ({
  // JSON has no undefined; an event without data is one with null.
  data: JSON.stringify(event.data) ?? 'null',
  metadata: JSON.stringify(event.metadata),
})

const frameBytes = '{"data":,"id":"","metadata":,"schemaVersion":,"type":""}'.length

/** Bytes of the event as canonical JSON (sorting does not change the length), counted against `appendBytesMax`. */
export const eventBytes = (event: SegueEvent, text: EventText): number =>
  frameBytes +
  Buffer.byteLength(text.data) +
  Buffer.byteLength(text.metadata) +
  Buffer.byteLength(event.id) +
  Buffer.byteLength(event.type) +
  String(event.schemaVersion).length

/** Says why an append cannot be taken before anybody is asked, or undefined when it can. */
export const tooLarge = (streamId: string, bytes: number): AppendTooLarge | undefined =>
  bytes > appendBytesMax ? new AppendTooLarge(streamId, bytes, appendBytesMax) : undefined
