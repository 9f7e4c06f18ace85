import { derivedId } from '../../events/index.js'
import { subjects, type Transport } from '../../messaging/index.js'

/** Puts aside what could not be understood, with the reason. */
export type DeadLetters = (subject: string, reason: string, data: unknown) => void

const perSMax = 10

/** Dead letters are for people to read: a flood of them helps nobody, so at most ten a second are kept. */
export function sendDeadLetters(transport: Transport, nowMs: () => number): DeadLetters {
  let second = 0
  let sent = 0
  return (subject, reason, data) => {
    const at = nowMs()
    if (Math.floor(at / 1_000) !== second) [second, sent] = [Math.floor(at / 1_000), 0]
    sent += 1
    if (sent > perSMax) return
    const letter = { subject, reason, data: data ?? null, at }
    transport.publish(subjects.deadletter, letter, { id: derivedId(at, subject, reason, sent) }).catch(() => undefined)
  }
}
