import * as t from 'io-ts'
import * as E from 'fp-ts/lib/Either.js'
import { entityId, finite, nullable, oneOf, record, ViewerTotals, whole } from '../../events/index.js'

/** What one viewer has measured until now. */
export const ViewerReport = record({
  session: entityId,
  stream: entityId,
  playing: t.boolean,
  /** The server that the newest segment came from. */
  server: nullable(t.string),
  /** Newest segment played out or buffered; null before the first. */
  number: nullable(whole),
  bufferMs: finite,
  totals: ViewerTotals,
})
export type ViewerReport = t.TypeOf<typeof ViewerReport>

/** What a supervised process tells its parent over the IPC channel. */
export const ChildMessage = t.union([
  record({ type: t.literal('ready'), url: nullable(t.string), bootId: nullable(t.string) }),
  /** It could not start; the message says why and what to do. */
  record({ type: t.literal('failed'), code: nullable(t.string), message: t.string }),
  record({ type: t.literal('log'), level: oneOf('info', 'warn', 'error'), message: t.string }),
  record({ type: t.literal('viewers'), reports: t.readonlyArray(ViewerReport) }),
])
export type ChildMessage = t.TypeOf<typeof ChildMessage>

/** Reads what came over the channel; null for anything else. */
export const readChildMessage = (data: unknown): ChildMessage | null => {
  const decoded = ChildMessage.decode(data)
  return E.isRight(decoded) ? decoded.right : null
}

/** Set for processes that a fleet starts. Any program may have given us a channel of its own; it is left alone. */
export const supervisedVariable = 'SEGUE_SUPERVISED'

/** Whether this process was started by a fleet that watches it. */
export const isSupervised = (): boolean => process.env[supervisedVariable] === '1' && process.connected

/** Tells the parent, if there is one that still listens. */
export function tellParent(message: ChildMessage): void {
  if (!isSupervised()) return
  // The channel may break at any time: the parent is gone then, and `disconnect` says so.
  process.send?.(message, undefined, undefined, () => undefined)
}
