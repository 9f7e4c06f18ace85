import ICAL from 'ical.js'
import { CalendarError } from './errors.js'

/** Steps that a rule may be followed, from its beginning on: 20 years of hours. */
const stepsMax = 200_000
/** What a person writes is far shorter; the library goes through all of it for every year. */
const lettersMax = 500
/** A day's seconds fit; the library counts off larger ones day by day. */
const intervalMax = 100_000
const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

interface Bounds {
  readonly yearMax: number
  steps: number
}

/** Kept beside the rules, for the library looks for times before the constructor of its iterator has returned. */
const boundsOf = new WeakMap<ICAL.Recur, Bounds>()

class BeyondSight extends Error {}

/**
 * The library looks for the next time of a rule until it has found one, be there one or not. Here it takes so many steps
 * at most, and none beyond the year that is looked at: then there is no further time.
 */
class BoundedIterator extends ICAL.RecurIterator {
  override fromData(options: Parameters<ICAL.RecurIterator['fromData']>[0]): void {
    try {
      super.fromData(options)
    } catch (error) {
      if (!(error instanceof BeyondSight)) throw error
      this.completed = true
    }
  }

  override next(again?: boolean): ICAL.Time {
    try {
      return super.next(again)
    } catch (error) {
      if (error instanceof CalendarError) throw error
      if (!(error instanceof BeyondSight)) throw unusable(this.rule, error)
      this.completed = true
      // The library's own types leave out that there may be none.
      return null as unknown as ICAL.Time
    }
  }

  // Each of its loops goes through one of these.
  override check_contracting_rules(): boolean {
    step(this)
    return super.check_contracting_rules()
  }

  override increment_month(): void {
    super.increment_month()
    step(this)
  }

  /** Day by day, however many: a long interval would take its time to end beyond sight. */
  override increment_monthday(days: number): void {
    const yearMax = boundsOf.get(this.rule)?.yearMax ?? Infinity
    super.increment_monthday(Math.min(days, (yearMax - this.last.year + 2) * 366))
  }

  override expand_year_days(year: number): number {
    step(this)
    return super.expand_year_days(year)
  }
}

function step({ rule, last }: ICAL.RecurIterator): void {
  const bounds = boundsOf.get(rule)
  if (bounds === undefined) return
  bounds.steps += 1
  if (last.year > bounds.yearMax) throw new BeyondSight()
  if (bounds.steps <= stepsMax) return
  throw new CalendarError(
    `rule "${String(rule)}" is too fine for how far it reaches: give a coarser FREQ, or begin later`,
  )
}

/**
 * The times of a rule from `start` on, up to about `untilMs`; `next` answers null at the end.
 * @throws CalendarError when the rule cannot be followed, at once or from `next`
 */
export function timesOf(rule: ICAL.Recur, start: ICAL.Time, untilMs: number): ICAL.RecurIterator {
  check(rule)
  boundsOf.set(rule, { yearMax: new Date(untilMs).getUTCFullYear() + 1, steps: 0 })
  try {
    return new BoundedIterator({ rule, dtstart: start })
  } catch (cause) {
    throw cause instanceof CalendarError ? cause : unusable(rule, cause)
  }
}

/** Has the library follow this rule of an event as `timesOf` does. */
export function bound(rule: ICAL.Recur, untilMs: number): void {
  rule.iterator = (start) => timesOf(rule, start, untilMs)
}

const unusable = (rule: ICAL.Recur, cause: unknown): CalendarError => {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new CalendarError(`"${String(rule)}" is no recurrence rule such as FREQ=WEEKLY;BYDAY=SU: ${why}`, { cause })
}

/** What RFC 5545 (3.3.10) rules out and the library takes, or what it does not do as the RFC has it. */
function check(rule: ICAL.Recur): void {
  const text = String(rule)
  if (text.length > lettersMax) throw new CalendarError(`a rule of ${text.length} letters is longer than ${lettersMax}`)
  if (rule.interval > intervalMax) throw new CalendarError(`"${text}" has an INTERVAL above ${intervalMax}`)
  const {
    BYMONTHDAY: days = [],
    BYMONTH: months = [],
    BYWEEKNO: weeks = [],
  } = rule.parts as Readonly<Partial<Record<string, ReadonlyArray<number>>>>
  const isByDays = rule.freq !== 'YEARLY' && rule.freq !== 'MONTHLY'
  if (isByDays && days.some((day) => day < 0)) {
    const monthly = `FREQ=MONTHLY;BYMONTHDAY=${days.join(',')}`
    throw new CalendarError(
      `"${text}" counts from the end of a month, which is for monthly and yearly rules: write ${monthly}`,
    )
  }
  if (weeks.length > 0 && rule.freq !== 'YEARLY') {
    throw new CalendarError(`"${text}" names weeks of the year, which is for yearly rules: write FREQ=YEARLY`)
  }
  const longest = Math.max(...(months.length > 0 ? months : [1]).map((month) => longestMonths[month - 1] ?? 0))
  if (days.length > 0 && days.every((day) => day === 0 || Math.abs(day) > longest)) {
    throw new CalendarError(`"${text}" never comes: no such month has so many days`)
  }
}
