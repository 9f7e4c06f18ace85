import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeUnless } from '../support/skip.js'
import { fleetObstacle, runFleetOnce, runSegue, type FleetRun } from '../support/segueCommand.js'
import { waitFor } from '../support/waitFor.js'

/** What viewers with a latency of 3 s still play of what has just happened. */
const playOn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3_500))

const flawless = { gaps: 0, duplicates: 0, hashMismatches: 0 }

/** What everything else rests on: the run as a whole, for a message that tells what happened when it fails. */
const expectSound = ({ status, result, told }: FleetRun): void => {
  const facts = {
    status,
    viewers: result.viewers.map(({ gaps, duplicates, hashMismatches }) => ({ gaps, duplicates, hashMismatches })),
    identical: result.replay.identical,
  }
  const sound = { status: 0, viewers: result.viewers.map(() => flawless), identical: true }
  if (JSON.stringify(facts) !== JSON.stringify(sound)) console.log(told)
  expect(facts).toEqual(sound)
}

describeUnless(fleetObstacle, 'a local fleet', () => {
  it('leaves a leaking server before it dies, and the viewer notices nothing', async () => {
    const run = await runFleetOnce(['--fault', 'leak@5', '--latency', '3', '--duration', '40'], async (fleet) => {
      const isDead = (): boolean => /s\d ended \(SIGKILL\)/.test(fleet.stderr())
      await waitFor(isDead, { timeoutMs: 60_000, everyMs: 100, describe: () => `a death\n${fleet.stderr()}` })
      await playOn()
      fleet.kill('SIGINT')
    })
    expectSound(run)
    const { result } = run
    expect(result.handovers).toEqual([
      expect.objectContaining({ id: 'main-h1', stream: 'main', cause: 'prediction', cutover: expect.any(Number) }),
    ])
    const [handover] = result.handovers
    expect(handover?.to).not.toBe(handover?.from)
    expect(handover?.leadMs).toBeGreaterThanOrEqual(5_000)
    expect(handover?.stepsMs).toEqual({
      standbyActivatedMs: expect.any(Number),
      bufferStitchedMs: expect.any(Number),
      cutoverChosenMs: expect.any(Number),
      clientsNotifiedMs: expect.any(Number),
      switchedMs: expect.any(Number),
      primaryDrainedMs: expect.any(Number),
      bufferSynchronizedMs: expect.any(Number),
    })
    expect(result.aborted).toBe(0)
    expect(result.viewers).toHaveLength(1)
    expect(result.viewers[0]).toMatchObject({ stalls: 0, stallMs: 0 })
    expect(result.viewers[0]?.segments).toBeGreaterThanOrEqual(50)
    expect(result.replay.decisions).toBeGreaterThan(10)
  }, 120_000)

  it('outlives a crash and then a hang of the primary with a hot standby, and ends when its time is up', async () => {
    const faults = ['--fault', 'crash@5', '--fault', 'hang@10']
    const run = await runFleetOnce([...faults, '--standby', 'hot', '--latency', '3', '--duration', '16'])
    expectSound(run)
    expect(run.result.handovers).toEqual([
      // The primary was dead before the stream was switched.
      expect.objectContaining({ cause: 'failure', leadMs: expect.any(Number) }),
      // It does not die: it is only suspended until the end.
      expect.objectContaining({ cause: 'failure', leadMs: null }),
    ])
    expect(run.result.handovers[0]?.leadMs).toBeLessThan(0)
    expect(run.result.viewers[0]).toMatchObject({ stalls: 0, stallMs: 0 })
    // 16 s are 50 segments of 320 ms.
    expect(run.result.viewers[0]?.segments).toBeGreaterThanOrEqual(45)
  }, 90_000)

  it('says in one line what is wrong with a source, and leaves nothing behind', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'segue-no-source-'))
    const run = runSegue(['up', '--source', '/nowhere/film.mp4', '--data', dataDir, '--json'])
    expect(await run.exited).toBe(1)
    expect(run.stdout()).toBe('')
    expect(run.stderr().trimEnd().split('\n').at(-1)).toMatch(/^segue up: .*there is no file \/nowhere\/film\.mp4/)
    await waitFor(() => run.leftOvers().length === 0, { timeoutMs: 5_000, everyMs: 100 })
    await rm(dataDir, { recursive: true })
  }, 60_000)
})
