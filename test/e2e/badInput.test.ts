import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type NatsConnection } from 'nats'
import { request } from 'undici'
import { WebSocket } from 'ws'
import { subjects, type DeadLetter } from '../../src/messaging/index.js'
import { connectNats } from '../../src/messaging/nats/index.js'
import { startFleet, type Fleet } from '../../src/runtime/fleet/index.js'
import { startLiveSource, type LiveSource } from '../support/liveSource.js'
import { startNatsServer, type NatsTestServer } from '../support/natsServer.js'
import { watchLog, type RecordedLog } from '../support/recordedLog.js'
import { fleetObstacle, portForFleet } from '../support/segueCommand.js'
import { describeUnless, testUnless } from '../support/skip.js'
import { waitFor } from '../support/waitFor.js'

const mounts = process.platform === 'linux' && process.getuid?.() === 0
const diskMegabytes = 24

describeUnless(fleetObstacle, 'a fleet that is treated badly', () => {
  let dataDir: string
  let nats: NatsTestServer
  let source: LiveSource
  let fleet: Fleet
  let log: RecordedLog
  let visitor: NatsConnection

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'segue-bad-'))
    if (mounts) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m`, 'tmpfs', dataDir])
    nats = await startNatsServer()
    source = await startLiveSource()
    fleet = await startFleet({
      ...{
        dataDir,
        port: Number(portForFleet()),
        natsUrl: nats.url,
        source: source.url,
        latencyMs: 3_000,
        height: 180,
      },
      // The processor of this machine is shared with whoever else tests: it is not the subject here.
      predict: false,
    })
    await Promise.race([fleet.playing, fleet.broken])
    log = watchLog(dataDir)
    visitor = await connect({ servers: new URL(nats.url).host })
    await waitFor(isSettled, { timeoutMs: 30_000, describe: 'a stream with a standby' })
  }, 90_000)

  afterAll(async () => {
    log.close()
    await visitor.close()
    await fleet.release()
    await source.close()
    await nats.stop()
    if (mounts) execFileSync('umount', ['-l', dataDir])
    await rm(dataDir, { recursive: true, force: true })
  })

  const isSettled = (): boolean => {
    const [stream] = fleet.status()?.streams ?? []
    return stream?.handover === null && stream.standby?.synchronized === true
  }
  const segmentsSeen = (): number => fleet.viewers()[0]?.totals.segments ?? 0
  const playsOn = (segments: number): Promise<unknown> => {
    const target = segmentsSeen() + segments
    return waitFor(() => segmentsSeen() >= target, { timeoutMs: 30_000, describe: () => `segment ${target}` })
  }
  const isSourceOnAir = (): boolean =>
    log.rows().findLast(({ type }) => type === 'SourceLost' || type === 'SourceRestored')?.type !== 'SourceLost'

  it('puts aside what it cannot understand, whatever the subject, and goes on', async () => {
    const letters: DeadLetter[] = []
    const transport = await connectNats({ url: nats.url, name: 'reader of dead letters' })
    await transport.consume({
      ...{ durable: 'letters', subject: subjects.deadletter, inFlightMax: 100 },
      onMessage: async ({ data }) => void letters.push(data as DeadLetter),
    })
    const told = [subjects.health('s1'), subjects.stream('main'), subjects.client('viewer-x')]
    const shouted = [subjects.heartbeat('s1'), subjects.notice('main')]
    const asked = [subjects.command('s1'), subjects.route('main')]
    const addressed = [...told, ...shouted, subjects.command('s1')]
    const garbage = ['{"half": ', JSON.stringify({ type: 'assign', id: 7, notice: [], server: '../x' })]

    for (const payload of garbage) {
      for (const subject of [...told, ...shouted]) visitor.publish(subject, Buffer.from(payload))
      for (const subject of asked) await visitor.request(subject, Buffer.from(payload), { timeout: 2_000 })
    }
    const [origin] = Object.values(fleet.status()?.streams[0]?.primary ?? {}).filter((url) => url.startsWith('http'))
    const socket = new WebSocket(`${origin?.replace('http', 'ws')}/notices/main`)
    const answers: string[] = []
    socket.on('message', (data) => answers.push((data as Buffer).toString()))
    socket.once('open', () => socket.send('{"type":"hello"'))

    await waitFor(() => addressed.every((subject) => letters.some((letter) => letter.subject === subject)), {
      timeoutMs: 15_000,
      describe: () => `dead letters of ${addressed.join(', ')}; came: ${letters.map((l) => l.subject).join(', ')}`,
    })
    await waitFor(() => answers.some((answer) => answer.includes('refused')))
    socket.terminate()
    await transport.close()
    await playsOn(5)
    // Facts still come in behind the bad ones.
    const before = log.lastPosition()
    await log.untilRecorded(['HealthSampled'], before)
  }, 60_000)

  it('shows the slate when the source drops, and goes on with it when it is back', async () => {
    // On a busy machine the slate may be on air from the start: what is not on air cannot be lost.
    await waitFor(isSourceOnAir, { timeoutMs: 30_000, describe: 'the source on air' })
    const before = log.lastPosition()
    source.goOff()
    await log.untilRecorded(['SourceLost'], before)
    await playsOn(10)
    source.comeBack()
    await log.untilRecorded(['SourceRestored'], before, 30_000)
    await playsOn(5)
  }, 90_000)

  testUnless(
    !mounts && 'only root on Linux can mount a small disk',
    'plays on while the disk is full, and records what happened meanwhile when there is space again',
    async () => {
      const filler = join(dataDir, 'filler')
      const before = log.lastPosition()
      await fillDisk(dataDir, filler)
      await waitFor(() => fleet.view().notes.some(({ text }) => text.includes('no space left')), {
        timeoutMs: 20_000,
        describe: 'the control plane to say that there is no space left',
      })
      await playsOn(10)
      await rm(filler)
      await waitFor(() => samplesOf('server-s1', before).length >= 5, { timeoutMs: 30_000, describe: 'samples' })
    },
    90_000,
  )

  it('hands over afterwards, with viewers who noticed nothing and a log in which nothing is missing', async () => {
    await waitFor(isSettled, { timeoutMs: 30_000, describe: 'a stream with a standby and nothing under way' })
    const before = log.lastPosition()
    const { statusCode, body } = await request(`${fleet.controlUrl}/api/streams/main/handover`, { method: 'POST' })
    await body.dump()
    expect(statusCode).toBe(202)
    await log.untilRecorded(['HandoverCompleted'], before, 45_000)
    const { result, replay } = await fleet.stop()
    expect(result.viewers).toEqual([
      expect.objectContaining({ gaps: 0, duplicates: 0, hashMismatches: 0, stalls: 0, stallMs: 0 }),
    ])
    expect(replay).toMatchObject({ identical: true })
    for (const server of ['server-s1', 'server-s2', 'server-s3']) {
      const seqs = samplesOf(server)
      expect(seqs).toEqual(seqs.map((_, index) => index))
    }
  }, 90_000)

  const samplesOf = (server: string, afterPosition = 0): ReadonlyArray<number> =>
    log
      .rows(afterPosition)
      .filter((row) => row.stream === server && row.type === 'HealthSampled')
      .map((row) => (JSON.parse(row.data) as { readonly sample: { readonly seq: number } }).sample.seq)
})

/** Leaves not one block free. */
async function fillDisk(folder: string, file: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  await writeFile(file, Buffer.alloc(bavail * bsize)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOSPC') throw error
  })
}
