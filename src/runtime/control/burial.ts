import { derivedId } from '../../events/index.js'
import { subjects, type Message, type Transport } from '../../messaging/index.js'

export interface BurialOptions {
  readonly transport: Pick<Transport, 'publish'>
  readonly now: () => number
  /** Told of dead letters, and of how many of the same subject were not told of since the last time. */
  readonly onDeadLetter?: (subject: string, reason: string, untold: number) => void
}

/** Puts a message among the dead letters. Rejects where the broker does not take it: then the message must come again. */
export type Bury = (message: Message, reason: string) => Promise<void>

/** Letters of one subject. */
const lettersPerSMax = 10
/** Of one subject and reason; others are counted. */
const tellEveryMs = 60_000
const reasonsRememberedMax = 1_000
/** Characters of JSON: a letter holds its message, the reason and some more, and must not be larger than a message may be. */
const dataCharsMax = 32_768
const reasonCharsMax = 4_096

/**
 * Keeps what cannot be recorded, with the reason, so that nobody is stopped by it. Dead letters are for people to read, and
 * share a log with facts: of one subject ten a second are kept, and of each no more than 32 KiB.
 */
export function createBurial({ transport, now, onDeadLetter = () => undefined }: BurialOptions): Bury {
  const told = new Map<string, { readonly at: number; untold: number }>()
  const sent = new Map<string, number>()
  let second = 0
  let letters = 0

  const tell = (subject: string, reason: string, at: number): void => {
    const key = `${subject} ${reason}`
    const last = told.get(key)
    if (last !== undefined && Math.abs(at - last.at) < tellEveryMs) {
      last.untold += 1
      return
    }
    if (last === undefined && told.size >= reasonsRememberedMax) told.clear()
    told.set(key, { at, untold: 0 })
    onDeadLetter(subject, reason, last?.untold ?? 0)
  }

  return async ({ subject, data }, fullReason) => {
    const at = now()
    const reason = fullReason.slice(0, reasonCharsMax)
    tell(subject, reason, at)
    const present = Math.floor(at / 1_000)
    if (present !== second) sent.clear()
    second = present
    const ofSubject = (sent.get(subject) ?? 0) + 1
    if (ofSubject > lettersPerSMax) return
    sent.set(subject, ofSubject)
    letters += 1
    const letter = { subject, reason, data: trimmed(data), at }
    await transport.publish(subjects.deadletter, letter, { id: derivedId(at, subject, reason, letters) })
  }
}

/** What is too large is cut off, as text. */
function trimmed(data: unknown): unknown {
  const text = JSON.stringify(data ?? null)
  return text.length <= dataCharsMax ? (data ?? null) : text.slice(0, dataCharsMax)
}
