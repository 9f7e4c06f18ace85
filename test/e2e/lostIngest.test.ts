import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startFleet, type Fleet, type FleetOptions } from '../../src/runtime/fleet/index.js'
import { describeUnless } from '../support/skip.js'
import { buildSegue, fleetObstacle, portForFleet } from '../support/segueCommand.js'
import { waitFor } from '../support/waitFor.js'

const undamaged = { gaps: 0, duplicates: 0, hashMismatches: 0 }

describeUnless(fleetObstacle, 'a fleet that loses its ingest', () => {
  let dataDir: string
  let fleet: Fleet

  const start = async (options: Partial<FleetOptions>): Promise<void> => {
    fleet = await startFleet({ dataDir, port: Number(portForFleet()), faults: [], ...options })
    await Promise.race([fleet.playing, fleet.broken])
    await waitFor(() => fleet.status()?.streams[0]?.standby?.synchronized, { timeoutMs: 20_000, describe: 'a standby' })
  }
  const segmentsSeen = (): number => fleet.viewers()[0]?.totals.segments ?? 0
  const playsOn = async (segments: number): Promise<void> => {
    const target = segmentsSeen() + segments
    await waitFor(() => segmentsSeen() >= target, { timeoutMs: 30_000, describe: () => `segment ${target}` })
  }
  beforeAll(buildSegue)

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'segue-lost-'))
  })

  afterEach(async () => {
    await fleet.release()
    await rm(dataDir, { recursive: true, force: true })
  })

  it('plays on, and leaves out nothing', async () => {
    await start({ latencyMs: 3_000 })
    await fleet.restart('ingest')
    await playsOn(20)
    const { result } = await fleet.stop()
    expect(result.viewers[0]).toMatchObject(undamaged)
    expect(result.replay.identical).toBe(true)
  }, 90_000)
})
