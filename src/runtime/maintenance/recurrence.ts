import ICAL from 'ical.js'
import { DateTime, IANAZone } from 'luxon'
import type { MaintenancePlan, MaintenanceWindow } from '../../events/index.js'
import { timesOf } from './boundedRule.js'
import { CalendarError } from './errors.js'

/** A plan with more windows at once than this is a mistake in its rule. */
const windowsMax = 200
/** Occurrences passed over before the first one that counts: 27 years of a daily window. */
const occurrencesMax = 10_000

/**
 * The windows of a plan that are not over at `fromMs` and begin before `untilMs` (Unix milliseconds), by their
 * beginning. The rule is followed in the plan's own time zone: "every Sunday at three" stays at three when clocks
 * change; a time that does not exist on that day is moved forward.
 * @throws CalendarError when the rule, the zone, the first time or the duration cannot be used, or windows are too many
 */
export function windowsOf(plan: MaintenancePlan, fromMs: number, untilMs: number): ReadonlyArray<MaintenanceWindow> {
  const { timezone, first, durationMs, reason } = plan
  if (!IANAZone.isValidZone(timezone))
    throw new CalendarError(`"${timezone}" is no time zone: give one such as Europe/Berlin`)
  if (!(durationMs > 0)) throw new CalendarError(`a window cannot last ${durationMs} ms`)
  const occurrences = iterate(plan, untilMs)
  const windows: MaintenanceWindow[] = []
  for (let passed = 0; passed < occurrencesMax; passed += 1) {
    const next = occurrences.next() as ICAL.Time | null
    if (next === null) return windows
    const { year, month, day, hour, minute, second } = next
    const from = DateTime.fromObject({ year, month, day, hour, minute, second }, { zone: timezone }).toMillis()
    if (from >= untilMs) return windows
    if (from + durationMs <= fromMs) continue
    if (windows.length >= windowsMax)
      throw new CalendarError(`rule "${plan.rule}" gives more than ${windowsMax} windows`)
    windows.push({ window: `${plan.plan}@${stamp(from)}`, from, until: from + durationMs, reason })
  }
  throw new CalendarError(
    `rule "${plan.rule}" from ${first} on has had more than ${occurrencesMax} windows: begin later`,
  )
}

function iterate({ rule, first }: MaintenancePlan, untilMs: number): ICAL.RecurIterator {
  const start = DateTime.fromISO(first, { zone: 'UTC' })
  if (!start.isValid || /(z|[+-]\d\d:?\d\d)$/i.test(first)) {
    throw new CalendarError(`"${first}" is no local time: give it like 2026-12-06T03:00`)
  }
  const { year, month, day, hour, minute, second } = start
  return timesOf(parsed(rule), ICAL.Time.fromData({ year, month, day, hour, minute, second }), untilMs)
}

function parsed(text: string): ICAL.Recur {
  const unusable = (why: string, cause?: unknown): CalendarError =>
    new CalendarError(`"${text}" is no recurrence rule such as FREQ=WEEKLY;BYDAY=SU: ${why}`, { cause })
  let rule: ICAL.Recur
  try {
    rule = ICAL.Recur.fromString(text)
  } catch (cause) {
    throw unusable(cause instanceof Error ? cause.message : String(cause), cause)
  }
  // The library takes a text without it, and fails when the rule is followed.
  if ((rule.freq as string | null) === null) throw unusable('it has no FREQ')
  return rule
}

/** `20261206T020000Z`: readable, and fit for a path. */
const stamp = (ms: number): string => DateTime.fromMillis(ms, { zone: 'UTC' }).toFormat("yyyyMMdd'T'HHmmss'Z'")
