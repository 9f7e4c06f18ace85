import * as E from 'fp-ts/lib/Either.js'
import { describeErrors } from '../events/index.js'
import { RollCall, RollCallPart, type IdRange } from './codecs.js'
import { subjects } from './subjects.js'
import type { Transport, Unsubscribe } from './transport.js'

const everything: IdRange = { from: '', until: null }

/** Whether a part of a roll call says something of an id, if only by its absence. */
export const isCovered = (id: string, range: IdRange): boolean =>
  range !== null && id >= range.from && (range.until === null || id < range.until)

/** Hears every call of the roll, part by part; a call in one message is a part that covers everything. */
export function hearRoll(
  transport: Pick<Transport, 'subscribe'>,
  onPart: (part: RollCallPart) => void,
  onUnreadable: (subject: string, reason: string, data: unknown) => void = () => undefined,
): Unsubscribe {
  const subscriptions = [
    transport.subscribe(subjects.roll, ({ subject, data }) => {
      const called = RollCall.decode(data)
      if (E.isLeft(called)) return onUnreadable(subject, describeErrors(called.left), data)
      onPart({ ...called.right, covers: { servers: everything, streams: everything } })
    }),
    transport.subscribe(subjects.rollPart, ({ subject, data }) => {
      const part = RollCallPart.decode(data)
      if (E.isLeft(part)) return onUnreadable(subject, describeErrors(part.left), data)
      onPart(part.right)
    }),
  ]
  return {
    async close() {
      await Promise.all(subscriptions.map((each) => each.close()))
    },
  }
}
