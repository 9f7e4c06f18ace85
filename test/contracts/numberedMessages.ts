import type { Message, Transport } from '../../src/messaging/index.js'

let count = 0
/** A name that no other test uses: the broker is shared and remembers. */
export const unique = (prefix: string): string => `${prefix}-${process.pid}-${(count += 1)}`

export const numbers = (messages: ReadonlyArray<Message>): ReadonlyArray<unknown> =>
  messages.map(({ data }) => (typeof data === 'object' && data !== null && 'number' in data ? data.number : data))

export const upTo = (length: number): ReadonlyArray<number> => Array.from({ length }, (_, index) => index)

/** Publishes `{ number }` for each number, in order. */
export async function publishNumbers(
  transport: Transport,
  subject: string,
  list: ReadonlyArray<number>,
  idPrefix = subject,
): Promise<void> {
  for (const number of list) await transport.publish(subject, { number }, { id: `${idPrefix}-${number}` })
}
