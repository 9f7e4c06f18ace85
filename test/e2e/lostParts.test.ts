import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { startFleet, type Fleet, type FleetOptions } from '../../src/runtime/fleet/index.js'
import { describeUnless } from '../support/skip.js'
import { buildSegue, fleetObstacle, portForFleet } from '../support/segueCommand.js'
import { waitFor } from '../support/waitFor.js'

const flawless = { gaps: 0, duplicates: 0, hashMismatches: 0 }

describeUnless(fleetObstacle, 'a fleet that loses a part', () => {
  let dataDir: string
  let fleet: Fleet

  const start = async (options: Partial<FleetOptions> = {}): Promise<void> => {
    fleet = await startFleet({ dataDir, port: Number(portForFleet()), faults: [], ...options })
    await Promise.race([fleet.playing, fleet.broken])
    await waitFor(() => fleet.status()?.streams[0]?.standby?.synchronized, { timeoutMs: 20_000, describe: 'a standby' })
  }
  const segmentsSeen = (): number => fleet.viewers()[0]?.totals.segments ?? 0
  const playsOn = async (segments: number): Promise<void> => {
    const target = segmentsSeen() + segments
    await waitFor(() => segmentsSeen() >= target, { timeoutMs: 30_000, describe: () => `segment ${target}` })
  }
  const order = async (): Promise<void> => {
    const { statusCode, body } = await request(`${fleet.controlUrl}/api/streams/main/handover`, { method: 'POST' })
    await body.dump()
    expect(statusCode).toBe(202)
  }

  beforeAll(buildSegue)

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'segue-lost-'))
  })

  afterEach(async () => {
    await fleet.release()
    await rm(dataDir, { recursive: true, force: true })
  })

  it('plays on without a broker, and hands over when it is back', async () => {
    await start()
    const before = fleet.pids().nats ?? 0
    fleet.kill('nats', 'SIGKILL')
    await waitFor(() => (fleet.pids().nats ?? before) !== before, {
      timeoutMs: 10_000,
      describe: 'another nats-server',
    })
    await waitFor(() => fleet.status()?.broker === 'connected', { timeoutMs: 15_000, describe: 'the broker' })
    await order()
    await fleet.waitForHandover(({ outcome }) => outcome === 'completed', 30_000)
    await playsOn(5)
    const { result } = await fleet.stop()
    expect(result.viewers[0]).toMatchObject({ ...flawless, stallMs: 0 })
    expect(result.replay.identical).toBe(true)
  }, 90_000)

  it('leaves out no number when the ingest is killed', async () => {
    await start({ latencyMs: 3_000 })
    await fleet.restart('ingest')
    await playsOn(20)
    const { result } = await fleet.stop()
    expect(result.viewers[0]).toMatchObject(flawless)
    expect(result.replay.identical).toBe(true)
  }, 90_000)
})
