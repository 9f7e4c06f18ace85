import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main } from '../../src/cli/main.js'
import { defaultServerPolicy, defaultStreamPolicy } from '../../src/events/index.js'
import { createMemoryStore } from '../../src/events/stores/memory/index.js'
import { createMemoryBus } from '../../src/messaging/memory/index.js'
import { startControlPlane, type ControlPlane } from '../../src/runtime/control/controlPlane.js'
import { scriptedServer, type ScriptedServer } from '../support/scriptedServer.js'
import { waitFor } from '../support/waitFor.js'

describe('segue maintenance', () => {
  let dataDir: string
  let control: ControlPlane
  let server: ScriptedServer

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'segue-maintenance-'))
    const bus = createMemoryBus()
    control = await startControlPlane({
      ...{ store: createMemoryStore(), transport: bus.connect('control'), dataDir, host: '127.0.0.1', port: 0 },
      ...{ serverPolicy: defaultServerPolicy, streamPolicy: defaultStreamPolicy },
      logger: { info: () => undefined, warn: () => undefined },
    })
    server = await scriptedServer(bus.connect('test'), 's1', 'http://127.0.0.1:1')
    await waitFor(async () => (await control.status()).servers.length === 1)
  })
  afterAll(async () => {
    await server.close()
    await control.close()
    await rm(dataDir, { recursive: true })
  })

  const segue = async (...argv: ReadonlyArray<string>) => {
    let [stdout, stderr] = ['', '']
    const status = await main(['maintenance', ...argv, '--control', control.url], {
      env: {},
      stdout: { write: (text) => (stdout += text), columns: 100 },
      stderr: { write: (text) => (stderr += text) },
    })
    return { status, stdout, stderr }
  }
  const listed = async () => JSON.parse((await segue('list', '--json')).stdout) as unknown

  it('schedules, lists and cancels a window', async () => {
    const { stdout } = await segue('add', 's1', '--from', '+2h', '--for', '90m', '--reason', 'new kernel')
    const window = stdout.trim()
    expect((await segue('list', 's1')).stdout).toMatch(new RegExp(`^s1 +${window} .*Z +new kernel\n$`))
    expect(await segue('cancel', 's1', window)).toEqual({ status: 0, stdout: `cancelled ${window}\n`, stderr: '' })
    expect((await segue('list')).stdout).toBe('nothing is planned\n')
  })

  it('schedules windows of a rule for five weeks, and cancels them together', async () => {
    const rule = ['--rule', 'FREQ=DAILY', '--timezone', 'Europe/Berlin']
    const plan = (await segue('add', 's1', '--from', '2026-01-01T03:00', '--for', '1h', ...rule)).stdout.trim()
    expect(await listed()).toEqual([
      expect.objectContaining({ plans: [expect.objectContaining({ plan, first: '2026-01-01T03:00:00' })] }),
    ])
    const [{ windows }] = (await listed()) as [{ windows: ReadonlyArray<{ from: number }> }]
    expect(windows.length).toBeGreaterThanOrEqual(35)
    await segue('cancel', 's1', plan)
    expect((await segue('list')).stdout).toBe('nothing is planned\n')
  })

  it('schedules a cancelled plan anew, and a window of it that was cancelled alone does not come back', async () => {
    const daily = ['add', 's1', '--from', '2026-01-01T03:00', '--for', '1h', '--rule', 'FREQ=DAILY']
    const windowsNow = async () => ((await listed()) as [{ windows: ReadonlyArray<{ window: string }> }])[0].windows
    const plan = (await segue(...daily)).stdout.trim()
    const first = await windowsNow()
    await segue('cancel', 's1', plan)
    await segue(...daily)
    expect(await windowsNow()).toEqual(first)
    await segue('cancel', 's1', first[3]?.window ?? '')
    await segue(...daily)
    expect(await windowsNow()).toEqual(first.filter((_, index) => index !== 3))
    await segue('cancel', 's1', plan)
  })

  it('imports a calendar, and importing it again changes nothing', async () => {
    const file = join(dataDir, 'windows.ics')
    const day = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '')
    const event = ['BEGIN:VEVENT', 'UID:a', `DTSTART:${day}T030000Z`, 'DURATION:PT1H', 'SUMMARY:disks', 'END:VEVENT']
    await writeFile(file, ['BEGIN:VCALENDAR', 'VERSION:2.0', ...event, 'END:VCALENDAR', ''].join('\r\n'))
    expect((await segue('import', 's1', file)).stdout).toBe('1 window(s) of s1 scheduled\n')
    const once = await listed()
    await segue('import', 's1', file)
    expect(await listed()).toEqual(once)
    expect(once).toEqual([expect.objectContaining({ windows: [expect.objectContaining({ reason: 'disks' })] })])
    const [{ windows }] = once as [{ windows: ReadonlyArray<{ window: string }> }]
    await segue('cancel', 's1', windows[0]?.window ?? '')
  })

  it.each([
    [['add', 'nobody', '--from', '+1h', '--for', '1h'], 'no server nobody has joined'],
    [['add', 's1', '--from', 'soon', '--for', '1h'], '--from "soon" is no time: give it like 2026-12-06T03:00Z'],
    [['add', 's1', '--from', '+1h'], 'say how long the window is: give --for or --until'],
    [['add', 's1', '--from', '+2h', '--until', '+1h'], 'the window ends before it begins'],
    [['add', 's1', '--from', '2020-01-01T00:00Z', '--for', '1h'], 'the window is over already'],
    [['add', 's1', '--from', '+1h', '--for', '1h', '--rule', 'OFTEN'], '"OFTEN" is no recurrence rule'],
    [['add', 's1', '--from', '2026-12-06T03:00', '--for', '1h', '--timezone', 'Mars'], '"Mars" is no time zone'],
    [['cancel', 's1', 'w0'], 's1 has no window or plan w0'],
    [['import', 's1', '/nowhere.ics'], 'cannot read /nowhere.ics'],
  ])('says what is wrong with %j', async (argv, why) => {
    const { status, stdout, stderr } = await segue(...argv)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(`segue maintenance: ${why}`)
  })
})
