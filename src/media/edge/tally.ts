import { subjects, type Notice, type ViewerMessage } from '../../messaging/index.js'
import { factMessage, type PublishFact } from './facts.js'

type Switched = Extract<ViewerMessage, { readonly type: 'switched' }>

/** Counts, for one announced cut-over, how the sessions of this edge took it. */
export interface CutoverTally {
  readonly epoch: number
  readonly cutover: number
  readonly acknowledged: (session: string) => void
  readonly switched: (session: string, message: Switched) => void
  readonly left: (session: string) => void
  readonly close: () => void
}

export interface TallyOptions {
  readonly edge: string
  readonly notice: Notice
  /** Sessions that were told. */
  readonly sessions: ReadonlyArray<string>
  readonly publishFact: PublishFact
  readonly nowMs: () => number
  readonly acknowledgeMsMax: number
  readonly measureMsMax: number
}

/**
 * Reports ClientsNotified once all have acknowledged (or after 300 ms), and ViewersMeasured once all have switched (or
 * after 2 s), each once.
 */
export function tallyCutover(options: TallyOptions): CutoverTally {
  const { edge, notice, sessions, publishFact, nowMs } = options
  const { stream, epoch, cutover } = notice.route
  const startedAt = nowMs()
  const toAcknowledge = new Set(sessions)
  const toSwitch = new Set(sessions)
  const measured: Switched[] = []
  let acknowledgedCount = 0
  let notifiedDone = false
  let measuredDone = false

  const reportNotified = (): void => {
    if (notifiedDone) return
    notifiedDone = true
    clearTimeout(acknowledgeTimer)
    const data = {
      epoch,
      edge,
      sessions: sessions.length,
      acknowledged: acknowledgedCount,
      elapsedMs: nowMs() - startedAt,
    }
    publishFact(
      subjects.stream(stream),
      factMessage(startedAt, { type: 'ClientsNotified', data }, edge, stream, epoch, cutover),
    )
  }

  const reportMeasured = (): void => {
    if (measuredDone) return
    measuredDone = true
    clearTimeout(measureTimer)
    if (measured.length > 0) {
      const sum = (of: (message: Switched) => number): number => measured.reduce((total, one) => total + of(one), 0)
      const data = {
        epoch,
        edge,
        sessions: measured.length,
        gaps: sum(({ gaps }) => gaps),
        duplicates: sum(({ duplicates }) => duplicates),
        hashMismatches: sum(({ hashMismatches }) => hashMismatches),
        stalls: sum(({ stalls }) => stalls),
        stallMsMax: Math.max(...measured.map(({ stallMs }) => stallMs)),
      }
      publishFact(
        subjects.stream(stream),
        factMessage(startedAt, { type: 'ViewersMeasured', data }, edge, stream, epoch, cutover),
      )
    }
  }

  const acknowledgeTimer = setTimeout(reportNotified, options.acknowledgeMsMax)
  const measureTimer = setTimeout(reportMeasured, options.measureMsMax)
  if (sessions.length === 0)
    queueMicrotask(() => {
      reportNotified()
      reportMeasured()
    })

  return {
    epoch,
    cutover,
    acknowledged(session) {
      if (!toAcknowledge.delete(session)) return
      acknowledgedCount += 1
      if (toAcknowledge.size === 0) reportNotified()
    },
    switched(session, message) {
      if (!toSwitch.delete(session)) return
      measured.push(message)
      if (toSwitch.size === 0) reportMeasured()
    },
    left(session) {
      if (toAcknowledge.delete(session) && toAcknowledge.size === 0) reportNotified()
      if (toSwitch.delete(session) && toSwitch.size === 0) reportMeasured()
    },
    close() {
      clearTimeout(acknowledgeTimer)
      clearTimeout(measureTimer)
    },
  }
}
