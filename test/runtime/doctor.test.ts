import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  formatDoctorReport,
  runDoctor,
  type DoctorCheck,
  type DoctorOptions,
  type DoctorReport,
} from '../../src/runtime/doctor.js'
import { fakePrograms, ffmpegAnswer, type FakePrograms } from '../support/fakePrograms.js'

describe('The doctor', () => {
  let programs: FakePrograms
  let root: string

  beforeEach(async () => {
    programs = await fakePrograms()
    root = await mkdtemp(join(tmpdir(), 'segue-doctor-test-'))
    await programs.add('ffmpeg', ffmpegAnswer('libx264', 'aac'))
    await programs.add('ffprobe', {})
    await programs.add('nats-server', { stdout: 'nats-server: v2.10.4\n' })
  })
  afterEach(() => Promise.all([programs.remove(), rm(root, { recursive: true, force: true })]))

  const diagnose = (options: DoctorOptions = {}): Promise<DoctorReport> =>
    runDoctor({
      env: { PATH: programs.folder },
      systemFolders: [],
      dataRoot: root,
      ports: [],
      diskBytesWanted: 0,
      ...options,
    })

  const checkOf = (report: DoctorReport, name: string): DoctorCheck | undefined =>
    report.checks.find((check) => check.name === name)

  it('finds nothing wrong with a machine that has everything', async () => {
    const report = await diagnose()
    expect(report.checks.map(({ name, status }) => `${name}: ${status}`)).toEqual([
      'Node.js: ok',
      'ffmpeg: ok',
      'ffprobe: ok',
      'nats-server: ok',
      'better-sqlite3: ok',
      'data folder: ok',
      'free disk space: ok',
    ])
    expect(report.status).toBe('ok')
  })

  it.each(['18.20.4', '20.10.0'])('fails on Node.js %s, which is too old', async (nodeVersion) => {
    const report = await diagnose({ nodeVersion })
    expect(checkOf(report, 'Node.js')).toEqual({
      name: 'Node.js',
      status: 'fail',
      found: nodeVersion,
      advice: 'install Node 20.11 or newer',
    })
    expect(report.status).toBe('fail')
  })

  it.each(['20.11.0', '22.0.0'])('accepts Node.js %s', async (nodeVersion) => {
    expect(checkOf(await diagnose({ nodeVersion }), 'Node.js')).toMatchObject({ status: 'ok' })
  })

  it('fails without ffmpeg, and says how to install it', async () => {
    const report = await diagnose({ env: { PATH: root } })
    expect(checkOf(report, 'ffmpeg')).toMatchObject({
      status: 'fail',
      found: 'missing',
      advice: expect.stringContaining('apt-get install ffmpeg'),
    })
  })

  it('fails with an ffmpeg that was built without libx264', async () => {
    await programs.add('ffmpeg', ffmpegAnswer('libopenh264', 'aac'))
    expect(checkOf(await diagnose(), 'ffmpeg')).toMatchObject({
      status: 'fail',
      found: `9.9-test without libx264 (${programs.folder}/ffmpeg)`,
    })
  })

  it('only warns without ffprobe, which test pictures do not need', async () => {
    await rm(join(programs.folder, 'ffprobe'))
    const report = await diagnose()
    expect(checkOf(report, 'ffprobe')).toMatchObject({
      status: 'warn',
      advice: expect.stringContaining('apt-get install ffmpeg'),
    })
    expect(report.status).toBe('warn')
  })

  it('fails without nats-server, and offers NATS_URL instead', async () => {
    const report = await diagnose({ env: { PATH: root } })
    expect(checkOf(report, 'nats-server')).toMatchObject({
      status: 'fail',
      advice: expect.stringContaining('NATS_URL'),
    })
  })

  it('warns of a nats-server that is older than the tested ones', async () => {
    await programs.add('nats-server', { stdout: 'nats-server: v2.8.4\n' })
    const report = await diagnose()
    expect(checkOf(report, 'nats-server')).toMatchObject({ status: 'warn', found: expect.stringMatching(/^v2\.8\.4 /) })
    expect(report.status).toBe('warn')
  })

  it('warns when the disk is nearly full, and fails when it is full', async () => {
    const nearly = await diagnose({ diskBytesWanted: Number.MAX_SAFE_INTEGER, diskBytesMin: 0 })
    expect(checkOf(nearly, 'free disk space')).toMatchObject({
      status: 'warn',
      advice: expect.stringMatching(/^free some/),
    })
    const full = await diagnose({ diskBytesWanted: Number.MAX_SAFE_INTEGER, diskBytesMin: Number.MAX_SAFE_INTEGER })
    expect(checkOf(full, 'free disk space')).toMatchObject({ status: 'fail' })
  })

  it('leaves nothing behind in the folder that it tries', async () => {
    const report = await diagnose({ dataRoot: join(root, 'not', 'yet', 'there') })
    expect(checkOf(report, 'data folder')).toMatchObject({ status: 'ok' })
    expect(await readdir(root)).toEqual([])
  })

  it('fails when the data folder cannot be written', async () => {
    const file = join(root, 'file')
    await writeFile(file, '')
    expect(checkOf(await diagnose({ dataRoot: join(file, 'data') }), 'data folder')).toMatchObject({ status: 'fail' })
  })

  describe('with somebody listening on a port', () => {
    let server: Server
    let port: number

    beforeEach(async () => {
      server = createServer((socket) => socket.end())
      port = await new Promise<number>((resolve, reject) => {
        server.listen(0, '127.0.0.1', () => {
          const address = server.address()
          if (typeof address === 'object' && address !== null) resolve(address.port)
          else reject(new Error('no address'))
        })
      })
    })
    afterEach(() => stop(server))

    it('warns of a port that is taken', async () => {
      const report = await diagnose({ ports: [{ port, purpose: 'ingest' }] })
      expect(checkOf(report, `port ${port}`)).toMatchObject({ status: 'warn', found: 'in use, wanted for the ingest' })
    })

    it('is content with a port that is free', async () => {
      await stop(server)
      const report = await diagnose({ ports: [{ port, purpose: 'ingest' }] })
      expect(checkOf(report, `port ${port}`)).toMatchObject({ status: 'ok' })
    })

    it('needs no nats-server when one of the servers in NATS_URL answers', async () => {
      const natsUrl = `nats://127.0.0.1:1,127.0.0.1:${port}`
      const report = await diagnose({ env: { PATH: root, NATS_URL: natsUrl } })
      expect(checkOf(report, 'NATS_URL')).toMatchObject({ status: 'ok', found: `${natsUrl} answers` })
      expect(checkOf(report, 'nats-server')).toBeUndefined()
    })

    it('fails when nobody answers at NATS_URL', async () => {
      await stop(server)
      const report = await diagnose({ natsUrl: `127.0.0.1:${port}` })
      expect(checkOf(report, 'NATS_URL')).toMatchObject({
        status: 'fail',
        found: expect.stringContaining('ECONNREFUSED'),
      })
    })
  })

  it('prints a line for each check, advice below it, and a verdict', () => {
    const text = formatDoctorReport({
      status: 'fail',
      checks: [
        { name: 'Node.js', status: 'ok', found: '20.20.2' },
        { name: 'nats-server', status: 'fail', found: 'missing', advice: 'install it' },
      ],
    })
    expect(text).toBe(
      [
        'ok    Node.js      20.20.2',
        'fail  nats-server  missing',
        '                   -> install it',
        '',
        'This machine cannot run Segue yet.',
      ].join('\n'),
    )
  })
})

const stop = (server: Server): Promise<void> => new Promise((resolve) => void server.close(() => resolve()))
