import { execFileSync } from 'node:child_process'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { startFleet, type Fleet } from '../../src/runtime/fleet/index.js'
import { storePathIn } from '../../src/runtime/dataDirectory.js'
import { watchLog, type RecordedLog } from '../support/recordedLog.js'
import { fleetObstacle, portForFleet } from '../support/segueCommand.js'
import { describeUnless } from '../support/skip.js'
import { waitFor } from '../support/waitFor.js'

/** The control plane is killed as soon as one of these is in the log. */
const moments: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ['while the standby gets ready', ['StandbyActivationOrdered']],
  ['when the buffers are stitched and the cut-over is chosen', ['BufferStitched', 'CutoverChosen']],
  ['when the stream has been switched', ['StreamSwitched']],
  ['while the old primary drains and the new standby is filled', ['PrimaryDrained', 'BufferSynchronized']],
]

describeUnless(fleetObstacle, 'a control plane that is killed', () => {
  let dataDir: string
  let fleet: Fleet
  let log: RecordedLog

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'segue-killed-'))
    const source = join(dataDir, 'short.mp4')
    makeFilm(source)
    fleet = await startFleet({ dataDir, port: Number(portForFleet()), latencyMs: 3_000, source, height: 180 })
    await Promise.race([fleet.playing, fleet.broken])
    log = watchLog(dataDir)
    await waitFor(isSettled, { timeoutMs: 30_000, describe: 'a stream with a standby' })
    await log.copyTo(join(dataDir, 'older.sqlite'))
  }, 90_000)

  afterAll(async () => {
    log.close()
    await fleet.release()
    await rm(dataDir, { recursive: true, force: true })
  })

  const isSettled = (): boolean => {
    const [stream] = fleet.status()?.streams ?? []
    return stream?.handover === null && stream.standby?.synchronized === true
  }

  const order = async (): Promise<void> => {
    const { statusCode, body } = await request(`${fleet.controlUrl}/api/streams/main/handover`, { method: 'POST' })
    await body.dump()
    expect(statusCode).toBe(202)
  }

  it.each(moments)(
    '%s is started again and brings the handover to its end',
    async (_, types) => {
      await waitFor(isSettled, { timeoutMs: 30_000, describe: 'a stream with a standby and nothing under way' })
      const before = log.lastPosition()
      const pid = fleet.pids().control
      await order()
      await log.untilRecorded(types, before)
      fleet.kill('control', 'SIGKILL')
      const recorded = log.rows()
      await waitFor(() => fleet.pids().control !== pid, { timeoutMs: 15_000, describe: 'another control plane' })

      const ended = await log.untilRecorded(['HandoverCompleted', 'HandoverAborted'], before, 45_000)

      // It was killed before the end, and nothing that was in the log has gone or changed.
      expect(recorded.some((row) => row.position >= ended.position)).toBe(false)
      expect(log.rows().slice(0, recorded.length)).toEqual(recorded)
    },
    100_000,
  )

  it('goes on from the route that viewers follow, when it comes up with an older copy of its log', async () => {
    await waitFor(isSettled, { timeoutMs: 30_000, describe: 'a stream with a standby and nothing under way' })
    const { epoch, primary } = fleet.status()?.streams[0] ?? {}
    const pid = fleet.pids().control ?? 0
    process.kill(pid, 'SIGSTOP')
    log.close()
    await rename(join(dataDir, 'older.sqlite'), storePathIn(dataDir))
    for (const rest of ['wal', 'shm']) await rm(`${storePathIn(dataDir)}-${rest}`, { force: true })
    process.kill(pid, 'SIGKILL')
    await waitFor(() => fleet.pids().control !== pid, { timeoutMs: 15_000, describe: 'another control plane' })
    log = watchLog(dataDir)

    const adopted = await log.untilRecorded(['RouteAdopted'], 0, 30_000)

    expect(JSON.parse(adopted.data)).toMatchObject({ epoch, primary: { id: primary?.id } })
    await waitFor(isSettled, { timeoutMs: 30_000, describe: 'a stream with a standby again' })
    const before = log.lastPosition()
    await order()
    await log.untilRecorded(['HandoverCompleted'], before, 30_000)
  }, 120_000)

  it('leaves viewers who noticed nothing, and a log that replays', async () => {
    const seen = fleet.viewers()[0]?.totals.segments ?? 0
    await waitFor(() => (fleet.viewers()[0]?.totals.segments ?? 0) >= seen + 10, { timeoutMs: 30_000 })
    const { result, replay } = await fleet.stop()
    expect(result.viewers).toEqual([
      expect.objectContaining({ gaps: 0, duplicates: 0, hashMismatches: 0, stalls: 0, stallMs: 0 }),
    ])
    // Those before are in the log that was lost.
    expect(result.handovers.length + result.aborted).toBe(1)
    expect(replay).toMatchObject({ identical: true })
    // The film has ended many times meanwhile: it is looped, and nobody can tell.
    expect(log.rows().filter((row) => row.type === 'SourceLost')).toEqual([])
  }, 60_000)
})

/** Three seconds with sound. */
function makeFilm(path: string): void {
  const pictures = ['-f', 'lavfi', '-i', 'testsrc=size=640x360:rate=25:duration=3']
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100:duration=3']
  const coded = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac']
  execFileSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...pictures, ...sound, ...coded, path])
}
