import type { Alarm, Failure } from './outcome.js'

/** Alarms of the same server this near to each other are about the same trouble. */
const sameTroubleMs = 60_000
/** Apart by less than this, they are at the same time. */
const sameTimeMs = 500

export interface Change {
  readonly what: 'kept' | 'avoided' | 'new' | 'earlier' | 'later'
  readonly server: string
  /** When it is under the alternative; for an avoided one, when it was. */
  readonly at: number
  /** How much earlier (negative) or later. */
  readonly byMs: number | null
  readonly streams: ReadonlyArray<string>
  readonly outcome: Alarm['outcome']
}

export interface Comparison {
  /** Handovers, counted by the streams that they move. */
  readonly handovers: number
  readonly kept: number
  readonly avoided: number
  readonly new: number
  readonly earlier: number
  readonly later: number
  /** Handovers whose alarm no failure confirmed. */
  readonly false: number
  readonly falseADay: number
  readonly failures: number
  readonly foreseen: number
  /** Share of the failures that an alarm came before; null without failures. */
  readonly recall: number | null
  /** From the alarm to the first sign of the failure: least, middle and most, in milliseconds. */
  readonly leadMs: {
    readonly min: number
    readonly median: number
    readonly max: number
  } | null
  readonly changes: ReadonlyArray<Change>
}

/** What an alternative changes against what was recorded. Pure. */
export function compare(
  recorded: ReadonlyArray<Alarm>,
  alternative: ReadonlyArray<Alarm>,
  failures: ReadonlyArray<Failure>,
  spanMs: number,
): Comparison {
  const changes = changesBetween(recorded, alternative)
  const streamsOf = (what: Change['what']): number => sum(changes.filter((change) => change.what === what))
  const leads = failures.flatMap((failure) => {
    const alarm = alternative.findLast((each) => foresees(each, failure))
    return alarm === undefined ? [] : [Math.max(0, failure.firstSignalAt - alarm.at)]
  })
  const wrong = sum(alternative.filter(({ outcome }) => outcome === 'unconfirmed'))
  const sorted = leads.toSorted((a, b) => a - b)
  return {
    handovers: sum(alternative),
    kept: streamsOf('kept'),
    avoided: streamsOf('avoided'),
    new: streamsOf('new'),
    earlier: streamsOf('earlier'),
    later: streamsOf('later'),
    false: wrong,
    falseADay: spanMs > 0 ? (wrong * 86_400_000) / spanMs : 0,
    failures: failures.length,
    foreseen: leads.length,
    recall: failures.length === 0 ? null : leads.length / failures.length,
    leadMs:
      sorted.length === 0
        ? null
        : {
            min: sorted[0] ?? 0,
            median: sorted[Math.floor(sorted.length / 2)] ?? 0,
            max: sorted.at(-1) ?? 0,
          },
    changes,
  }
}

const sum = (parts: ReadonlyArray<{ readonly streams: ReadonlyArray<string> }>): number =>
  parts.reduce((total, { streams }) => total + streams.length, 0)

const foresees = (alarm: Alarm, failure: Failure): boolean =>
  alarm.server === failure.server &&
  alarm.at <= failure.firstSignalAt &&
  alarm.outcome === 'confirmed' &&
  (alarm.endedAt === null || alarm.endedAt >= failure.firstSignalAt)

function changesBetween(recorded: ReadonlyArray<Alarm>, alternative: ReadonlyArray<Alarm>): ReadonlyArray<Change> {
  const left = new Set(recorded)
  const changes: Change[] = alternative.map((alarm) => {
    const { server, at, streams, outcome } = alarm
    const before = nearest(left, alarm)
    if (before === undefined) return { what: 'new', server, at, byMs: null, streams, outcome }
    left.delete(before)
    const byMs = at - before.at
    const what = Math.abs(byMs) < sameTimeMs ? 'kept' : byMs < 0 ? 'earlier' : 'later'
    return { what, server, at, byMs, streams, outcome }
  })
  for (const { server, at, streams, outcome } of left) {
    changes.push({ what: 'avoided', server, at, byMs: null, streams, outcome })
  }
  return changes.toSorted((a, b) => a.at - b.at)
}

function nearest(candidates: ReadonlySet<Alarm>, { server, at }: Alarm): Alarm | undefined {
  let best: Alarm | undefined
  for (const each of candidates) {
    if (each.server !== server || at < each.at - sameTroubleMs || at > (each.endedAt ?? each.at) + sameTroubleMs)
      continue
    if (best === undefined || Math.abs(each.at - at) < Math.abs(best.at - at)) best = each
  }
  return best
}
