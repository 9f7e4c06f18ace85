import type { RecordedEvent } from '../../../src/events/index.js'
import { smallLogFile, type LogFile } from '../../support/logFile.js'

let log: LogFile
beforeAll(async () => {
  log = await smallLogFile()
})
afterAll(() => log.remove())

async function events(...flags: ReadonlyArray<string>): Promise<ReadonlyArray<RecordedEvent>> {
  const { status, stdout, stderr } = await log.run('events', ...flags)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordedEvent)
}

describe('segue events', () => {
  test('filters by type, stream and category', async () => {
    const failures = await events('--type', 'ServerFailed,ServerRecovered')
    expect(new Set(failures.map(({ type }) => type))).toEqual(new Set(['ServerFailed', 'ServerRecovered']))
    const [first] = failures
    const ofServer = await events('--stream', first?.streamId ?? '')
    expect(ofServer.map(({ revision }) => revision)).toEqual(ofServer.map((_, index) => index))
    const ofClients = await events('--category', 'client', '--kind', 'decision')
    expect(new Set(ofClients.map(({ type }) => type))).toEqual(new Set(['SwitchExperienced']))
  })

  test('shows what belongs to one handover', async () => {
    const of = await events('--correlation', 'live01-c00001-h1')
    expect(of.map(({ type }) => type)).toEqual(expect.arrayContaining(['HandoverStarted', 'StreamSwitched']))
  })

  test('takes the time and the position', async () => {
    const window = await events('--from', '2026-03-01T00:01:00Z', '--until', '2026-03-01 00:01:10')
    expect(window.length).toBeGreaterThan(20)
    const times = window.map(({ metadata }) => metadata.occurredAt - Date.UTC(2026, 2, 1))
    expect([Math.min(...times) >= 60_000, Math.max(...times) < 70_000]).toEqual([true, true])
    const [first, second] = window
    const [next] = await events('--after', first?.position ?? '', '--limit', '1')
    expect(next).toEqual(second)
  })

  test('shows the newest first, of the whole log and of one stream', async () => {
    const all = await events('--type', 'HealthSampled')
    const newest = await events('--type', 'HealthSampled', '--backwards', '--limit', '7')
    expect(newest).toEqual(all.slice(-7).reverse())
    const ofOne = await events('--stream', newest[0]?.streamId ?? '', '--backwards', '--limit', '3')
    expect(ofOne.map(({ revision }) => revision)).toEqual([0, -1, -2].map((less) => (ofOne[0]?.revision ?? 0) + less))
  })

  test.each([
    [['--type', 'Bogus'], 2, '--type Bogus: there is no event of this name'],
    [['--category', 'node'], 2, '--category node: give server, stream, client or model'],
    [['--stream', 's1'], 2, '--stream s1: give the whole id, such as server-s1 or stream-s1'],
    [['--stream', 'server-s1', '--category', 'server'], 2, '--stream and --category: give one of them'],
    [['--from', '2026-03-02', '--until', '2026-03-01'], 2, '--from is not before --until'],
    [['--follow', '--backwards'], 2, '--follow and --backwards contradict each other'],
    [['--follow', '--limit', '3'], 2, '--follow has no end, so --limit means nothing with it'],
    [['--after', '12'], 1, '"12" is no position of this store; positions cannot be moved between stores'],
    [['--store', '/nowhere/events.sqlite'], 1, 'there is no event log at /nowhere/events.sqlite; check the path'],
  ])('refuses %j', async (flags, status, message) => {
    expect(await log.run('events', ...flags)).toEqual({ status, stdout: '', stderr: `segue events: ${message}\n` })
  })

  test.each(['yesterday', '2026-02-30', '2026-13-01', '10'])('refuses the time %s', async (time) => {
    const { status, stderr } = await log.run('events', '--from', time)
    expect(status).toBe(2)
    expect(stderr).toContain('Give a time such as 2026-11-22, 2026-11-22T17:30:00Z, or 90m for that long ago')
  })
})
