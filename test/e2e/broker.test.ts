import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { startFleet, type Fleet } from '../../src/runtime/fleet/index.js'
import { startNatsServer, type NatsTestServer } from '../support/natsServer.js'
import { watchLog, type RecordedLog } from '../support/recordedLog.js'
import { fleetObstacle, portForFleet } from '../support/segueCommand.js'
import { describeUnless } from '../support/skip.js'
import { waitFor } from '../support/waitFor.js'

describeUnless(fleetObstacle, 'a broker that goes away', () => {
  let dataDir: string
  let nats: NatsTestServer
  let fleet: Fleet
  let log: RecordedLog

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'segue-broker-'))
    nats = await startNatsServer()
    fleet = await startFleet({
      dataDir,
      port: Number(portForFleet()),
      natsUrl: nats.url,
      latencyMs: 3_000,
      height: 180,
    })
    await Promise.race([fleet.playing, fleet.broken])
    log = watchLog(dataDir)
    await waitFor(isSettled, { timeoutMs: 30_000, describe: 'a stream with a standby' })
  }, 90_000)

  afterAll(async () => {
    log.close()
    await fleet.release()
    await nats.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  const isSettled = (): boolean => {
    const [stream] = fleet.status()?.streams ?? []
    return stream?.handover === null && stream.standby?.synchronized === true
  }
  const segmentsSeen = (): number => fleet.viewers()[0]?.totals.segments ?? 0

  /** Lets the time pass in which the broker is away; the viewer must go on playing meanwhile. */
  const playThrough = async (awayMs: number): Promise<void> => {
    const [before, endsAt] = [segmentsSeen(), performance.now() + awayMs]
    await waitFor(() => performance.now() >= endsAt, { timeoutMs: awayMs * 2, everyMs: 100 })
    // Of segments of 320 ms, 3.1 play in a second.
    expect(segmentsSeen() - before).toBeGreaterThanOrEqual(2.5 * (awayMs / 1_000))
  }

  it('for 10 s keeps nobody from playing, and the health samples of that time arrive afterwards', async () => {
    const [from, before] = [Date.now(), log.lastPosition()]
    await nats.kill()
    await playThrough(10_000)
    const until = Date.now()
    await nats.start()

    const servers = ['server-s1', 'server-s2', 'server-s3']
    const late = (server: string): ReadonlyArray<number> =>
      samples(server, before)
        .filter(({ takenAt }) => takenAt > from && takenAt < until)
        .map(({ seq }) => seq)
    await waitFor(() => servers.every((server) => late(server).length >= 8), {
      timeoutMs: 30_000,
      describe: () => `the samples of 10 s; came: ${servers.map((server) => late(server).length).join(', ')}`,
    })
    await waitFor(() => fleet.status()?.broker === 'connected', { timeoutMs: 15_000, describe: 'the broker' })
  }, 90_000)

  it('hanging for 6 s in the middle of a handover delays it, and nobody notices', async () => {
    await waitFor(isSettled, { timeoutMs: 30_000, describe: 'a stream with a standby and nothing under way' })
    const before = log.lastPosition()
    const { statusCode, body } = await request(`${fleet.controlUrl}/api/streams/main/handover`, { method: 'POST' })
    await body.dump()
    expect(statusCode).toBe(202)
    await log.untilRecorded(['StandbyActivationOrdered'], before)
    process.kill(nats.pid, 'SIGSTOP')
    try {
      await playThrough(6_000)
    } finally {
      process.kill(nats.pid, 'SIGCONT')
    }
    await log.untilRecorded(['HandoverCompleted', 'HandoverAborted'], before, 45_000)
  }, 90_000)

  it('leaves every sample once and in order, no fact twice, and viewers who noticed nothing', async () => {
    const target = segmentsSeen() + 10
    await waitFor(() => segmentsSeen() >= target, { timeoutMs: 30_000 })
    const { result, replay } = await fleet.stop()
    expect(result.viewers).toEqual([
      expect.objectContaining({ gaps: 0, duplicates: 0, hashMismatches: 0, stalls: 0, stallMs: 0 }),
    ])
    expect(replay).toMatchObject({ identical: true })
    for (const server of ['server-s1', 'server-s2', 'server-s3']) {
      const seqs = samples(server).map(({ seq }) => seq)
      expect(seqs.length).toBeGreaterThan(20)
      expect(seqs).toEqual(seqs.map((_, index) => index))
    }
    // Its absence was held against no server.
    const blamed = log.rows().filter((row) => row.type === 'InstabilityPredicted' && row.data.includes('"loss"'))
    expect(blamed).toEqual([])
    expect(log.rows().filter((row) => row.type === 'ServerFailed')).toEqual([])
    const told = log
      .rows()
      .filter((row) => reportedOnce.has(row.type))
      .map((row) => `${row.stream} ${row.type} ${row.data}`)
    expect(told.filter((text, index) => told.indexOf(text) !== index)).toEqual([])
  }, 60_000)

  const samples = (
    server: string,
    afterPosition = 0,
  ): ReadonlyArray<{ readonly seq: number; readonly takenAt: number }> =>
    log
      .rows(afterPosition)
      .filter((row) => row.stream === server && row.type === 'HealthSampled')
      .map(
        (row) =>
          (JSON.parse(row.data) as { readonly sample: { readonly seq: number; readonly takenAt: number } }).sample,
      )
})

/** Facts that tell of something that happens once, so that the same twice would be one fact doubled. */
const reportedOnce = new Set([
  ...['ServerJoined', 'HealthSampled', 'StreamOpened', 'HandoverRequested', 'StandbyActivated', 'BufferStitched'],
  ...['ClientsNotified', 'CutoverReached', 'PrimaryDrained', 'BufferSynchronized', 'ViewersMeasured'],
  ...['ClientConnected', 'ClientNotified', 'ClientAcknowledged', 'ClientSwitched'],
])
