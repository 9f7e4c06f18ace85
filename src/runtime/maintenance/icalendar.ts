import { createHash } from 'node:crypto'
import ICAL from 'ical.js'
import { shortText, type MaintenanceWindow } from '../../events/index.js'
import { bound } from './boundedRule.js'
import { CalendarError } from './errors.js'

const windowsMax = 500
const occurrencesMax = 10_000

/**
 * Maintenance windows from an iCalendar file (RFC 5545): every event that is not cancelled, recurring ones written out,
 * that is not over at `fromMs` and begins before `untilMs` (Unix milliseconds). Names of windows derive from the
 * event's UID and its time, so that the same file gives the same windows again.
 * @throws CalendarError when the text is no iCalendar file, an event has no usable time, or there are too many
 */
export function readCalendar(text: string, fromMs: number, untilMs: number): ReadonlyArray<MaintenanceWindow> {
  const calendar = parse(text)
  for (const zone of calendar.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(zone)
  try {
    const components = calendar.getAllSubcomponents('vevent')
    const events = components.map((component) => new ICAL.Event(component))
    const windows = events
      .filter((event) => !event.isRecurrenceException() && !isCancelled(event))
      .flatMap((event) => windowsOfEvent(withExceptions(event, events), fromMs, untilMs))
    if (windows.length > windowsMax) throw new CalendarError(`${windows.length} windows are more than ${windowsMax}`)
    return windows.toSorted((a, b) => a.from - b.from)
  } finally {
    ICAL.TimezoneService.reset()
  }
}

function parse(text: string): ICAL.Component {
  try {
    const calendar = new ICAL.Component(ICAL.parse(text) as unknown[])
    if (calendar.name === 'vcalendar') return calendar
    throw new CalendarError('it holds no VCALENDAR')
  } catch (cause) {
    if (cause instanceof CalendarError) throw cause
    throw new CalendarError(`it is no iCalendar file: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
}

const isCancelled = (event: ICAL.Event): boolean =>
  String(event.component.getFirstPropertyValue('status') ?? '').toUpperCase() === 'CANCELLED'

/** Events that move or cancel one time of a recurring one name the same UID. */
function withExceptions(event: ICAL.Event, events: ReadonlyArray<ICAL.Event>): ICAL.Event {
  for (const other of events) if (other.isRecurrenceException() && other.uid === event.uid) event.relateException(other)
  return event
}

function windowsOfEvent(event: ICAL.Event, fromMs: number, untilMs: number): ReadonlyArray<MaintenanceWindow> {
  if (event.startDate === null) throw new CalendarError(`event "${event.summary ?? event.uid}" has no DTSTART`)
  const windows: MaintenanceWindow[] = []
  const add = (item: ICAL.Event, start: ICAL.Time, end: ICAL.Time): void => {
    const [from, until] = [start.toJSDate().getTime(), end.toJSDate().getTime()]
    if (until <= fromMs || from >= untilMs || until <= from || isCancelled(item)) return
    windows.push({
      window: nameOf(event, start),
      from,
      until,
      reason: shortText(String(item.summary ?? 'maintenance'), 200),
    })
  }
  if (!event.isRecurring()) {
    add(event, event.startDate, event.endDate)
    return windows
  }
  for (const next of startsOf(event, untilMs)) {
    const { item, startDate, endDate } = event.getOccurrenceDetails(next)
    add(item, startDate, endDate)
  }
  return windows
}

function* startsOf(event: ICAL.Event, untilMs: number): Generator<ICAL.Time> {
  const title = event.summary ?? event.uid
  try {
    for (const rule of event.component.getAllProperties('rrule')) bound(rule.getFirstValue() as ICAL.Recur, untilMs)
    const occurrences = event.iterator()
    for (let passed = 0; passed < occurrencesMax; passed += 1) {
      // At the end, null or nothing at all.
      const next = occurrences.next() as ICAL.Time | null | undefined
      if (next === null || next === undefined || next.toJSDate().getTime() >= untilMs) return
      yield next
    }
  } catch (cause) {
    throw new CalendarError(`event "${title}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  throw new CalendarError(`event "${title}" comes again more than ${occurrencesMax} times`)
}

const nameOf = ({ uid }: ICAL.Event, start: ICAL.Time): string =>
  `ics-${createHash('sha256').update(uid).digest('hex').slice(0, 10)}@${start.toString().replaceAll(/[^0-9TZ]/g, '')}`
