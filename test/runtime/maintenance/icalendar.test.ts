import { readCalendar } from '../../../src/runtime/maintenance/index.js'

const calendar = (...lines: ReadonlyArray<string>): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n')
const event = (...lines: ReadonlyArray<string>): ReadonlyArray<string> => ['BEGIN:VEVENT', ...lines, 'END:VEVENT']
const berlin = [
  ...['BEGIN:VTIMEZONE', 'TZID:Berlin', 'BEGIN:STANDARD', 'DTSTART:19701025T030000', 'TZOFFSETFROM:+0200'],
  ...['TZOFFSETTO:+0100', 'RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU', 'END:STANDARD', 'BEGIN:DAYLIGHT'],
  ...['DTSTART:19700329T020000', 'TZOFFSETFROM:+0100', 'TZOFFSETTO:+0200', 'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU'],
  ...['END:DAYLIGHT', 'END:VTIMEZONE'],
]
const read = (text: string) => readCalendar(text, Date.parse('2026-12-01T00:00Z'), Date.parse('2027-01-01T00:00Z'))
const times = (text: string) =>
  read(text).map(({ from, until }) => [new Date(from).toISOString(), (until - from) / 60_000])

describe('an iCalendar file', () => {
  it('gives a window for each event, the same names each time', () => {
    const text = calendar(
      ...event('UID:a', 'SUMMARY:new kernel', 'DTSTART:20261206T030000Z', 'DTEND:20261206T043000Z'),
      ...event('UID:b', 'DTSTART:20261202T030000Z', 'DURATION:PT1H'),
      ...event('UID:past', 'DTSTART:20201202T030000Z', 'DURATION:PT1H'),
    )
    expect(times(text)).toEqual([
      ['2026-12-02T03:00:00.000Z', 60],
      ['2026-12-06T03:00:00.000Z', 90],
    ])
    expect(read(text)).toEqual(read(text))
    expect(read(text)[1]).toMatchObject({ reason: 'new kernel', window: expect.stringMatching(/^ics-[0-9a-f]{10}@/) })
  })

  it('writes recurring events out, in their own time zone, with their exceptions', () => {
    const weekly = ['UID:w', 'DTSTART;TZID=Berlin:20261206T030000', 'DURATION:PT1H', 'RRULE:FREQ=WEEKLY']
    const text = calendar(
      ...berlin,
      ...event(...weekly, 'EXDATE;TZID=Berlin:20261213T030000'),
      ...event('UID:w', 'RECURRENCE-ID;TZID=Berlin:20261220T030000', 'DTSTART:20261221T100000Z', 'DURATION:PT30M'),
    )
    expect(times(text)).toEqual([
      ['2026-12-06T02:00:00.000Z', 60],
      ['2026-12-21T10:00:00.000Z', 30],
      ['2026-12-27T02:00:00.000Z', 60],
    ])
  })

  it('leaves out what was cancelled', () => {
    expect(read(calendar(...event('UID:a', 'STATUS:CANCELLED', 'DTSTART:20261206T030000Z', 'DURATION:PT1H')))).toEqual(
      [],
    )
  })

  it.each([
    ['FREQ=DAILY;BYMONTHDAY=-1', /^event "nightly": "FREQ=DAILY;BYMONTHDAY=-1" counts from .* write FREQ=MONTHLY/],
    ['FREQ=SECONDLY;BYMONTH=7;BYDAY=SU', /^event "nightly": rule "[^"]+" is too fine/],
    ['FREQ=MINUTELY', /^event "nightly" comes again more than 10000 times/],
  ])('is refused, with the name of the event, when its rule cannot be followed: %s', (rule, why) => {
    const lines = ['UID:n', 'SUMMARY:nightly', 'DTSTART:20261202T030000Z', 'DURATION:PT1H', `RRULE:${rule}`]
    expect(() => read(calendar(...event(...lines)))).toThrow(why)
  })

  it('ends even when an event comes again in hundred thousand days', () => {
    const rule = 'RRULE:FREQ=DAILY;INTERVAL=100000'
    expect(read(calendar(...event('UID:n', 'DTSTART:20261202T030000Z', 'DURATION:PT1H', rule)))).toHaveLength(1)
  })

  it.each([
    ['hello', /no iCalendar file/],
    ['BEGIN:VEVENT\r\nEND:VEVENT', /holds no VCALENDAR/],
    [calendar(...event('UID:a', 'SUMMARY:when?')), /event "when\?" has no DTSTART/],
  ])('is refused when it is none: %j', (text, why) => {
    expect(() => read(text)).toThrow(why)
  })
})
