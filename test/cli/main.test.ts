import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main } from '../../src/cli/main.js'

describe('segue', () => {
  let home: string

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'segue-cli-'))
  })

  afterAll(() => rm(home, { recursive: true }))

  const run = async (...argv: ReadonlyArray<string>) => {
    let [stdout, stderr] = ['', '']
    const status = await main(argv, {
      env: { XDG_DATA_HOME: home },
      stdout: { write: (text) => (stdout += text), columns: 100 },
      stderr: { write: (text) => (stderr += text) },
    })
    return { status, stdout, stderr }
  }

  it.each([
    [['bogus'], 'segue: unknown command \'bogus\'; see "segue --help"\n'],
    [[], 'segue: say what to do; "segue --help" lists the commands\n'],
    [
      ['up', '--treams', '2'],
      'segue up: unknown option \'--treams\' (Did you mean --streams?); see "segue up --help"\n',
    ],
    [['up', 'now'], 'segue up: too many arguments for \'up\'. Expected 0 arguments but got 1; see "segue up --help"\n'],
    [
      ['up', '--servers', 'many'],
      "segue up: option '--servers <n>' argument 'many' is invalid. Give a whole number from 1 to 20; see \"segue up --help\"\n",
    ],
    [
      ['up', '--standby', 'tepid'],
      "segue up: option '--standby <mode>' argument 'tepid' is invalid. Allowed choices are hot, warm, cold; see \"segue up --help\"\n",
    ],
    [
      ['up', '--fault', 'leak@15', '--fault', 'none'],
      'segue up: --fault: "none" stands alone: give faults or none, not both\n',
    ],
    [['media'], 'segue media: required option \'--id <name>\' not specified; see "segue media --help"\n'],
    [
      ['media', '--id', 's1', '--sample-interval', '100'],
      "segue media: option '--sample-interval <ms>' argument '100' is invalid. Give a whole number from 200 to 60000; see \"segue media --help\"\n",
    ],
    [
      ['media', '--id', 's1', '--location', '52.52'],
      "segue media: option '--location <lat,lon>' argument '52.52' is invalid. Give latitude (-90 to 90) and longitude (-180 to 180) in degrees, such as 52.52,13.40 (west and south are negative); see \"segue media --help\"\n",
    ],
    [
      ['watch', '--location', '13.40,152.52,3'],
      "segue watch: option '--location <lat,lon>' argument '13.40,152.52,3' is invalid. Give latitude (-90 to 90) and longitude (-180 to 180) in degrees, such as 52.52,13.40 (west and south are negative); see \"segue watch --help\"\n",
    ],
    [
      ['control', '--buffer-segments', '6', '--cutover-lead', '5'],
      'segue control: --buffer-segments 6 is less than the cut-over needs: with --cutover-lead 5 give 7 or more\n',
    ],
    [
      ['control', '--threshold', '95'],
      'segue control: --threshold 95 is too high: an alarm clears 10 points above it, so give 90 or less\n',
    ],
    [
      ['ingest', '--segment', '333'],
      'segue ingest: a segment of 333 ms at 25/1 frames per second is not possible: it must be a whole number of frames and last 200-500 ms; nearest: 8 frames (320 ms) or 9 frames (360 ms)\n',
    ],
    [['watch', '--json', '--pipe'], 'segue watch: --json and --pipe both want standard output: give one of them\n'],
    [
      ['control', '--eventstore', 'memory:x'],
      'segue control: option \'--eventstore <where>\' is invalid. Nothing follows memory: in its connection; see "segue control --help"\n',
    ],
    [
      ['up', '--eventstore', 'memory:'],
      'segue up: --eventstore memory: is gone before the log could be replayed at the end: give sqlite:PATH\n',
    ],
    [
      ['replay', '--data', 'a', '--eventstore', 'memory:'],
      'segue replay: --data and --eventstore both name a log: give one of them\n',
    ],
    [['replay', '--data', 'a', '--store', 'b'], 'segue replay: --data and --store both name a log: give one of them\n'],
  ])('refuses %j with one line and status 2', async (argv, line) => {
    expect(await run(...argv)).toEqual({ status: 2, stdout: '', stderr: line })
  })

  it('does not repeat an address of NATS, for it may hold a password', async () => {
    const { status, stderr } = await run('control', '--nats', 'nats//me:secret@host')
    expect(status).toBe(2)
    expect(stderr).toContain('Give nats://host:4222')
    expect(stderr).not.toContain('secret')
  })

  it('does not repeat the address of an event store either', async () => {
    const { status, stderr } = await run('replay', '--eventstore', 'postgres://me:secret@host')
    expect(status).toBe(2)
    expect(stderr).toContain('Give sqlite:PATH')
    expect(stderr).not.toContain('secret')
  })

  it('reads the log that the environment names, unless the command line names another', async () => {
    process.env.SEGUE_EVENTSTORE = 'sqlite:/nowhere/of/the/environment'
    try {
      expect((await run('replay')).stderr).toContain('no event log at /nowhere/of/the/environment;')
      expect((await run('replay', '--data', '/nowhere')).stderr).toContain('no event log at /nowhere/events.sqlite;')
    } finally {
      delete process.env.SEGUE_EVENTSTORE
    }
  })

  it.each(['up', 'control', 'media', 'ingest', 'watch', 'replay', 'doctor'])(
    'explains every option of %s with its environment variable, and shows an example',
    async (command) => {
      const { status, stdout, stderr } = await run(command, '--help')
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const options = [...stdout.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name = '']) => name)
      expect(options.length).toBeGreaterThan(1)
      const text = stdout.replaceAll(/\s+/g, ' ')
      for (const option of options) expect(text).toContain(`env: SEGUE_${option.toUpperCase().replaceAll('-', '_')})`)
      expect(stdout).toMatch(/^Examples?:\n {2}segue /m)
    },
  )

  it('tells its version', async () => {
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('takes options from the environment', async () => {
    process.env.SEGUE_SERVERS = 'several'
    try {
      const { status, stderr } = await run('up', '--port', '1')
      expect(status).toBe(2)
      expect(stderr).toContain("option '--servers <n>' value 'several' from env 'SEGUE_SERVERS' is invalid")
    } finally {
      delete process.env.SEGUE_SERVERS
    }
  })

  it('makes no folder for a run that cannot begin', async () => {
    await run('up', '--fault', 'fire@3')
    expect(await readdir(home)).toEqual([])
  })

  it('says in one line that a port is in use', async () => {
    const occupant = createServer()
    await new Promise<void>((resolve) => occupant.listen(0, '127.0.0.1', resolve))
    const { port } = occupant.address() as AddressInfo
    const { status, stderr } = await run('up', '--port', String(port), '--data', join(home, 'taken'))
    await new Promise((resolve) => occupant.close(resolve))
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `segue up: port ${port} on 127.0.0.1 is in use; end what listens there or choose another with --port\n`,
    })
  })

  it('says which log a replay could not find', async () => {
    expect(await run('replay', '--all')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('there is no run below'),
    })
    const { status, stderr } = await run('replay', '--data', '/nowhere')
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'segue replay: there is no event log at /nowhere/events.sqlite; check the path\n',
    })
  })

  it('shows a stack trace only when SEGUE_DEBUG is set', async () => {
    let stderr = ''
    await main(['replay', '--data', '/nowhere'], {
      env: { SEGUE_DEBUG: '1' },
      stdout: { write: () => undefined },
      stderr: { write: (text) => (stderr += text) },
    })
    expect(stderr).toMatch(/check the path\n.*\n\s+at /)
  })
})
