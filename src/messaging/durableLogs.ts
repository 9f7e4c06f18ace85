/** A log that the broker keeps: what is published to its subjects is stored until it is too old or there is too much. */
export interface DurableLog {
  readonly name: string
  readonly subjects: ReadonlyArray<string>
  readonly ageMsMax: number
  readonly bytesMax: number
}

const hourMs = 3_600_000
const mebibyte = 1_048_576

/** The durable subjects of `subjects.ts`. The oldest messages go first when a log is full. */
export const durableLogs: ReadonlyArray<DurableLog> = [
  { name: 'SEGUE_HEALTH', subjects: ['segue.health.>'], ageMsMax: hourMs, bytesMax: 64 * mebibyte },
  {
    name: 'SEGUE_FACTS',
    subjects: ['segue.stream.>', 'segue.client.>', 'segue.deadletter'],
    ageMsMax: 24 * hourMs,
    bytesMax: 512 * mebibyte,
  },
]

/** For this long a repeated message id is recognised and stored once. */
export const duplicateWindowMs = 120_000

/** Kept free for the headers of a message, which count against the server's limit. */
export const headerBytesMax = 512

/** Most bytes of one message; a NATS server in its default configuration takes 1 MiB with headers. */
export const messageBytesMax = mebibyte - headerBytesMax

/**
 * The log that holds a subject, or all subjects of a pattern ending in `>`.
 *
 * @throws RangeError when no log, or not a single one, holds it: a mistake of the caller.
 */
export function durableLogOf(subject: string): DurableLog {
  const log = durableLogs.find(({ subjects }) => subjects.some((pattern) => covers(pattern, subject)))
  if (log !== undefined) return log
  const known = durableLogs.flatMap(({ subjects }) => subjects).join(', ')
  throw new RangeError(`subject ${subject} is not durable; durable are ${known}`)
}

const covers = (pattern: string, subject: string): boolean =>
  pattern.endsWith('>')
    ? subject.startsWith(pattern.slice(0, -1)) && subject.length >= pattern.length
    : pattern === subject

/** Whether a subject fits a pattern: `*` stands for one token, a final `>` for one or more (as in NATS). */
export function subjectMatches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.')
  const tokens = subject.split('.')
  const open = wanted.at(-1) === '>'
  if (open ? tokens.length < wanted.length : tokens.length !== wanted.length) return false
  return wanted.every((token, index) => token === '*' || (token === '>' && open) || token === tokens[index])
}

/** @throws RangeError when the broker could not use it as a name. */
export function checkDurableName(durable: string): void {
  if (/^[A-Za-z0-9_-]{1,100}$/.test(durable)) return
  throw new RangeError(`durable name ${JSON.stringify(durable)}: use 1 to 100 letters, digits, "-" and "_"`)
}
