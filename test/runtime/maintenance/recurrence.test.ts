import type { MaintenancePlan } from '../../../src/events/index.js'
import { windowsOf } from '../../../src/runtime/maintenance/index.js'

const hour = 3_600_000
const plan = (change: Partial<MaintenancePlan>): MaintenancePlan => ({
  ...{ plan: 'p1', rule: 'FREQ=WEEKLY;BYDAY=SU', timezone: 'UTC', first: '2026-12-06T03:00:00' },
  ...{ durationMs: hour, reason: 'new kernel' },
  ...change,
})
const between = (change: Partial<MaintenancePlan>, from: string, until: string) =>
  windowsOf(plan(change), Date.parse(from), Date.parse(until))
const times = (windows: ReturnType<typeof windowsOf>) => windows.map(({ from }) => new Date(from).toISOString())

const everyDay = Array.from(
  { length: 371 },
  (_, index) => `${1 + (index % 53)}${['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'][index % 7] ?? ''}`,
)

describe('windows of a plan', () => {
  it('come by its rule, and say what they are for', () => {
    const windows = between({}, '2026-12-01T00:00Z', '2026-12-20T00:00Z')
    expect(times(windows)).toEqual(['2026-12-06T03:00:00.000Z', '2026-12-13T03:00:00.000Z'])
    expect(windows[0]).toEqual({
      window: 'p1@20261206T030000Z',
      from: Date.parse('2026-12-06T03:00Z'),
      until: Date.parse('2026-12-06T04:00Z'),
      reason: 'new kernel',
    })
  })

  it('stay at the same time of day when clocks change', () => {
    const rule = { rule: 'FREQ=WEEKLY', timezone: 'Europe/Berlin', first: '2026-10-18T03:00' }
    expect(times(between(rule, '2026-10-01T00:00Z', '2026-11-02T00:00Z'))).toEqual([
      '2026-10-18T01:00:00.000Z',
      '2026-10-25T02:00:00.000Z',
      '2026-11-01T02:00:00.000Z',
    ])
  })

  it('count as long as they are open', () => {
    expect(times(between({}, '2026-12-06T03:59Z', '2026-12-07T00:00Z'))).toHaveLength(1)
    expect(times(between({}, '2026-12-06T04:00Z', '2026-12-07T00:00Z'))).toHaveLength(0)
  })

  it.each([
    ['every so many years', 'FREQ=YEARLY;INTERVAL=100000', 1],
    ['every so many months', 'FREQ=MONTHLY;INTERVAL=100000', 1],
    ['every so many weeks', 'FREQ=WEEKLY;INTERVAL=100000', 1],
    ['every so many days', 'FREQ=DAILY;INTERVAL=100000', 1],
    ['in leap years alone, which its interval misses', 'FREQ=MONTHLY;INTERVAL=12;BYMONTH=2;BYDAY=5MO', 0],
    ['in a month that its interval misses', 'FREQ=WEEKLY;INTERVAL=52;BYMONTH=7', 1],
    ['on a day that is never the fifth Monday', 'FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1', 0],
    ['on the last day of the month', 'FREQ=MONTHLY;BYMONTHDAY=-1', 1],
  ])('end, when a rule comes %s', (_, rule, count) => {
    expect(between({ rule }, '2026-12-01T00:00Z', '2027-01-05T00:00Z')).toHaveLength(count)
  })

  it.each([
    [{ rule: 'EVERY SUNDAY' }, /is no recurrence rule such as FREQ=WEEKLY/],
    [{ rule: 'FREQ=SECONDLY' }, /more than 200 windows/],
    [{ rule: 'FREQ=MINUTELY', first: '1990-01-01T00:00' }, /more than 10000 windows: begin later/],
    [{ rule: 'FREQ=DAILY;BYMONTHDAY=-1' }, /counts from the end of a month.*: write FREQ=MONTHLY;BYMONTHDAY=-1$/],
    [{ rule: 'FREQ=HOURLY;BYMONTHDAY=1,-1' }, /write FREQ=MONTHLY;BYMONTHDAY=1,-1$/],
    [{ rule: 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30' }, /never comes: no such month has so many days/],
    [{ rule: 'FREQ=YEARLY;BYMONTH=4,6;BYMONTHDAY=31' }, /never comes/],
    [{ rule: 'FREQ=HOURLY;INTERVAL=1000000000000000' }, /has an INTERVAL above 100000/],
    [{ rule: 'FREQ=DAILY;BYWEEKNO=20' }, /weeks of the year, which is for yearly rules/],
    [{ rule: 'FREQ=SECONDLY;BYMONTH=7;BYDAY=SU' }, /is too fine for how far it reaches/],
    [{ rule: `FREQ=YEARLY;BYDAY=${everyDay.join(',')}` }, /letters is longer than 500/],
    [{ timezone: 'Mars/Olympus' }, /no time zone: give one such as Europe\/Berlin/],
    [{ first: '2026-12-06T03:00Z' }, /no local time/],
    [{ first: 'soon' }, /no local time/],
    [{ durationMs: -1 }, /cannot last -1 ms/],
  ] satisfies ReadonlyArray<readonly [Partial<MaintenancePlan>, RegExp]>)('refuses %j', (change, why) => {
    expect(() => between(change, '2026-12-01T00:00Z', '2027-01-01T00:00Z')).toThrow(why)
  })
})
