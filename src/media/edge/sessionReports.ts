import { shortText, type ClientPayload } from '../../events/index.js'
import { subjects, type Route, type ViewerMessage } from '../../messaging/index.js'
import { factMessage, type PublishFact } from './facts.js'

type Sent<T extends ViewerMessage['type']> = Extract<ViewerMessage, { readonly type: T }>

/** Turns what happens on one session's channel into facts of the client's log. */
export interface SessionReports {
  readonly notified: (route: Route) => void
  readonly acknowledged: (message: Sent<'acknowledge'>) => void
  readonly switched: (message: Sent<'switched'>) => void
  readonly stalled: (message: Sent<'stalled'>) => void
  readonly trouble: (message: Sent<'trouble'>) => void
  /** Once; later calls are ignored. */
  readonly left: (reason: string, totals: Sent<'bye'>['totals']) => void
}

export interface SessionReportsOptions {
  readonly edge: string
  readonly hello: Sent<'hello'>
  readonly publishFact: PublishFact
  readonly nowMs: () => number
  /** Runs work in order, soon. */
  readonly afterwards: (work: () => void) => void
}

const rememberedMax = 64

/** Reports ClientConnected at once. */
export function createSessionReports(options: SessionReportsOptions): SessionReports {
  const { edge, hello, publishFact, nowMs, afterwards } = options
  const { session, stream, epochKnown, agent } = hello
  const connectedAt = nowMs()
  const notifiedAt = new Map<string, number>()
  const reported = new Set<string>()
  let count = 0
  let gone = false

  const publish = (payload: ClientPayload): void => {
    count += 1
    const [at, ordinal] = [nowMs(), count]
    afterwards(() =>
      publishFact(subjects.client(session), factMessage(at, payload, edge, session, connectedAt, ordinal)),
    )
  }

  const firstTime = (key: string): boolean => {
    if (reported.has(key)) return false
    reported.add(key)
    const [oldest] = reported
    if (reported.size > rememberedMax && oldest !== undefined) reported.delete(oldest)
    return true
  }

  const keyOf = ({ epoch, sequence }: { readonly epoch: number; readonly sequence: number }): string =>
    `${epoch} ${sequence}`

  publish({ type: 'ClientConnected', data: { session, stream, edge, epochKnown, agent: shortText(agent, 200) } })

  return {
    notified(route) {
      const { epoch, cutover, sequence } = route
      notifiedAt.set(keyOf(route), nowMs())
      const [oldest] = notifiedAt.keys()
      if (notifiedAt.size > rememberedMax && oldest !== undefined) notifiedAt.delete(oldest)
      publish({ type: 'ClientNotified', data: { edge, epoch, cutover, sequence } })
    },
    acknowledged(message) {
      const { epoch, cutover, sequence } = message
      const sentAt = notifiedAt.get(keyOf(message))
      if (sentAt === undefined) return
      notifiedAt.delete(keyOf(message))
      publish({ type: 'ClientAcknowledged', data: { edge, epoch, cutover, sequence, elapsedMs: nowMs() - sentAt } })
    },
    switched({ type: _, ...facts }) {
      if (!firstTime(`switched ${facts.epoch}`)) return
      publish({ type: 'ClientSwitched', data: { edge, ...facts } })
    },
    stalled({ number, stallMs }) {
      publish({ type: 'ClientStalled', data: { edge, number, stallMs } })
    },
    trouble({ server, reason, number }) {
      publish({ type: 'ClientReportedTrouble', data: { edge, server, reason, number } })
    },
    left(reason, totals) {
      if (gone) return
      gone = true
      publish({ type: 'ClientLeft', data: { edge, reason: shortText(reason, 200), totals } })
    },
  }
}
