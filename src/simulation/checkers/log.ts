import { isSameValue, streamIdOf, type Category, type RecordedEvent, type SegueEvent } from '../../events/index.js'
import { entityOf, type FactMessage } from '../../messaging/index.js'
import type { SimulatedLog } from '../world/log.js'
import type { Checker, CheckerContext } from './checker.js'

export interface LogContext extends CheckerContext {
  readonly log: SimulatedLog
}

const categoryAt = 'segue.'.length
const categories: Readonly<Record<string, Category>> = { health: 'server', stream: 'stream', client: 'client' }

/** Facts that a server reports once for each order, whatever is repeated on the way. */
const once: ReadonlySet<string> = new Set([
  'StandbyActivated',
  'BufferStitched',
  'CutoverReached',
  'PrimaryDrained',
  'BufferSynchronized',
  'HealthSampled',
])

interface Said {
  readonly elapsedMs: unknown
  readonly reachedAt: unknown
  id: string
}

/** What a report is about. Two of them may be about the same: the times that they name tell those apart. */
const topicOf = (data: Readonly<Record<string, unknown>>): string => {
  const sample = data.sample as { readonly bootId: string; readonly seq: number } | undefined
  if (sample !== undefined) return `${sample.bootId} ${sample.seq}`
  const { order, epoch, server } = data
  return `${text(order)} ${text(epoch)} ${text(server)}`
}

const text = (part: unknown): string => (typeof part === 'string' || typeof part === 'number' ? String(part) : '')

/** Invariant 3: what was acknowledged to anybody is in the log, as it was, once; and nobody acts on what is not. */
export function checkLog({ log, violated }: LogContext): Checker {
  const confirmed: { readonly streamId: string; readonly event: SegueEvent; readonly repeated: boolean }[] = []
  const reports = new Map<string, Said[]>()
  /** Which boot said it: one that begins anew does its tasks anew. */
  const saidBy = new Map<string, string>()
  const wrong = (message: string): void => violated('log', message)

  const find = (id: string, streamId: string): RecordedEvent | undefined => {
    const found = log.find(id)
    return found?.streamId === streamId ? found : undefined
  }

  const ofTwoBoots = (a: string, b: string): boolean => {
    const [one, other] = [saidBy.get(a), saidBy.get(b)]
    return one !== undefined && other !== undefined && one !== other
  }

  return {
    reported: (bootId, id) => void saidBy.set(id, bootId),
    appended: (streamId, events) => {
      for (const event of events) {
        if (!once.has(event.type)) continue
        const data = event.data as Readonly<Record<string, unknown>>
        const { elapsedMs, reachedAt } = data
        const topic = `${streamId} ${event.type} ${topicOf(data)}`
        const said = reports.get(topic)
        const before = said?.find((each) => each.elapsedMs === elapsedMs && each.reachedAt === reachedAt)
        if (said === undefined) reports.set(topic, [{ elapsedMs, reachedAt, id: event.id }])
        else if (before === undefined) said.push({ elapsedMs, reachedAt, id: event.id })
        else {
          if (!ofTwoBoots(before.id, event.id))
            wrong(`${streamId}: ${event.type} was recorded twice, as ${before.id} and ${event.id}`)
          before.id = event.id
        }
      }
    },
    confirmed: (streamId, events, repeated) => {
      for (const event of events) confirmed.push({ streamId, event, repeated })
    },
    acknowledged: (subject, data) => {
      const category = categories[subject.slice(categoryAt, subject.indexOf('.', categoryAt))]
      const { id, type } = data as FactMessage
      if (category === undefined || find(id, streamIdOf(category, entityOf(subject))) !== undefined) return
      wrong(`${type} (${id}) to ${subject} was acknowledged but is not in the log`)
    },
    assigned: ({ stream, server, sequence }) => {
      const head = log.stream(streamIdOf('stream', stream)).length - 1
      if (sequence > head)
        wrong(`${server} was given an assignment of revision ${sequence}; the log of ${stream} ends at ${head}`)
    },
    finished: () => {
      for (const { streamId, event, repeated } of confirmed) {
        const found = find(event.id, streamId)
        if (found === undefined) wrong(`${streamId}: ${event.type} (${event.id}) was confirmed but is not in the log`)
        else if (!repeated && !isSameValue(found.data, event.data)) {
          wrong(`${streamId}: ${event.type} (${event.id}) is not in the log as it was confirmed`)
        }
      }
    },
  }
}
