import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fakePrograms, ffmpegAnswer, type FakePrograms } from '../support/fakePrograms.js'
import { startNatsServer, type NatsTestServer } from '../support/natsServer.js'
import { fleetObstacle, runSegue } from '../support/segueCommand.js'
import { describeUnless } from '../support/skip.js'

/** Nobody listens there. */
const nowhere = 'nats://127.0.0.1:9'

describeUnless(fleetObstacle, 'a part that cannot start says so in one line, and ends', () => {
  let folder: string
  let programs: FakePrograms
  let nats: NatsTestServer

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'segue-refused-'))
    programs = await fakePrograms()
    await programs.add('ffmpeg', ffmpegAnswer('aac'))
    nats = await startNatsServer()
  })

  afterAll(async () => {
    await nats.stop()
    await programs.remove()
    await rm(folder, { recursive: true, force: true })
  })

  const parts = (natsUrl: string): Readonly<Record<'control' | 'media' | 'ingest', ReadonlyArray<string>>> => ({
    control: ['control', '--nats', natsUrl, '--port', '0', '--data', join(folder, 'control')],
    media: ['media', '--id', 's1', '--nats', natsUrl, '--port', '0', '--data', join(folder, 's1')],
    ingest: ['ingest', '--nats', natsUrl, '--port', '0', '--data', join(folder, 'ingest')],
  })

  /** What it said last, after it had ended by itself with the status for failures. */
  const lastWord = async (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): Promise<string> => {
    const run = runSegue(args, env)
    try {
      const status = await run.exited
      const [line = ''] = run.stderr().trimEnd().split('\n').slice(-1)
      expect({ status, stdout: run.stdout(), stderr: run.stderr() }).toMatchObject({ status: 1, stdout: '' })
      expect(run.stderr()).not.toMatch(/^\s+at /m)
      return line
    } finally {
      run.kill('SIGKILL')
    }
  }

  it.each(['media', 'ingest'] as const)(
    'segue %s without ffmpeg, or with one that lacks libx264',
    async (part) => {
      const withFfmpeg = (path: string, name: string): Promise<string> =>
        // Two of one folder would refuse each other.
        lastWord([...parts(nats.url)[part], '--data', join(folder, `${part}-${name}`)], { FFMPEG_PATH: path })
      const [missing, lacking] = await Promise.all([
        withFfmpeg('/nowhere/ffmpeg', 'missing'),
        withFfmpeg(join(programs.folder, 'ffmpeg'), 'lacking'),
      ])
      expect(missing).toContain('FFMPEG_PATH names /nowhere/ffmpeg, which is no program that can be run')
      expect(lacking).toContain('was built without libx264; install a full build of ffmpeg, or set FFMPEG_PATH to one')
    },
    30_000,
  )

  it('every part that finds no NATS server', async () => {
    const words = await Promise.all(Object.values(parts(nowhere)).map((args) => lastWord(args)))
    for (const word of words) {
      expect(word).toMatch(
        /no connection to NATS at nats:\/\/127\.0\.0\.1:9 within \d+ ms: .*; is nats-server running there\?/,
      )
    }
  }, 40_000)

  it('segue control and segue replay with a log that is none', async () => {
    const data = join(folder, 'damaged')
    await mkdir(data)
    await writeFile(join(data, 'events.sqlite'), 'not a log at all, '.repeat(1_000))
    const words = await Promise.all([
      lastWord(['control', '--nats', nats.url, '--port', '0', '--data', data]),
      lastWord(['replay', '--data', data]),
    ])
    for (const word of words) {
      expect(word).toContain(join(data, 'events.sqlite'))
      expect(word).toContain('is not a SQLite file; give another path, or move the file away')
    }
  }, 30_000)

  it('every part whose port is taken', async () => {
    const squatter = createServer()
    await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve))
    const { port } = squatter.address() as AddressInfo
    const onTakenPort = (args: ReadonlyArray<string>): ReadonlyArray<string> =>
      args.map((arg, index) => (args[index - 1] === '--port' ? String(port) : arg))
    try {
      const words = await Promise.all(Object.values(parts(nats.url)).map((args) => lastWord(onTakenPort(args))))
      for (const word of words) {
        expect(word).toContain(String(port))
        expect(word).toMatch(/in use|another program uses it/)
        expect(word).toMatch(/choose another/)
      }
    } finally {
      await new Promise((resolve) => squatter.close(resolve))
    }
  }, 30_000)
})
