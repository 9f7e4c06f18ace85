import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../support/freePort.js'
import { startNatsServer, type NatsTestServer } from '../support/natsServer.js'
import { buildSegue, fleetObstacle, runSegue, type SegueRun } from '../support/segueCommand.js'
import { startSharedSource, type SharedSource } from '../support/sharedSource.js'
import { describeUnless } from '../support/skip.js'
import { waitFor } from '../support/waitFor.js'

const patience = { timeoutMs: 40_000 }

interface Info {
  readonly onAir: string
  readonly holdsSource: boolean
}

describeUnless(fleetObstacle, 'a stream with two ingests', () => {
  let folder: string
  let nats: NatsTestServer
  let source: SharedSource
  let feeds: readonly [string, string]
  let mediaUrls: ReadonlyArray<string>
  const running: SegueRun[] = []
  const servers: SegueRun[] = []

  const segue = (name: string, ...args: ReadonlyArray<string>): SegueRun => {
    const run = runSegue([name, ...args, '--nats', nats.url])
    running.push(run)
    return run
  }
  const portOf = (url: string): string => new URL(url).port
  const startIngest = (index: 0 | 1): SegueRun => {
    const url = feeds[index]
    const data = join(folder, `ingest-${index}`)
    const partner = feeds[index === 0 ? 1 : 0]
    return segue(
      'ingest',
      '--source',
      source.url,
      '--height',
      '180',
      '--port',
      portOf(url),
      '--partner',
      partner,
      '--data',
      data,
    )
  }
  const infoOf = async (url: string): Promise<Info | null> => {
    const answer = await fetch(`${url}/feed/main/info`).catch(() => null)
    return answer?.ok === true ? ((await answer.json()) as Info) : null
  }
  const isAt = async (url: string, onAir: string): Promise<boolean> => (await infoOf(url))?.onAir === onAir

  beforeAll(async () => {
    buildSegue()
    folder = await mkdtemp(join(tmpdir(), 'segue-ingest-pair-'))
    nats = await startNatsServer()
    source = await startSharedSource()
    const url = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`
    feeds = [await url(), await url()]
    mediaUrls = [await url(), await url()]
    segue('control', '--data', join(folder, 'control'), '--port', String(await freePort()), '--no-predict')
    for (const [index, media] of mediaUrls.entries()) {
      servers.push(
        segue('media', '--id', `s${index + 1}`, '--port', portOf(media), '--data', join(folder, `s${index + 1}`)),
      )
    }
  }, 60_000)

  afterAll(async () => {
    // Media servers would try to be left before they end.
    for (const run of servers) run.kill('SIGKILL')
    for (const run of running) run.kill('SIGTERM')
    await Promise.all(running.map(({ exited }) => exited))
    await source.close()
    await nats.stop()
    await rm(folder, { recursive: true, force: true })
  }, 30_000)

  it('is watched on while the one on air is killed, which follows the other one when it is back', async () => {
    const [first, second] = feeds
    const one = startIngest(0)
    await waitFor(() => isAt(first, 'source'), patience)
    startIngest(1)
    await waitFor(async () => (await infoOf(second))?.holdsSource === true, patience)
    const watching = runSegue(['watch', '--from', mediaUrls.join(','), '--latency', '3', '--duration', '14', '--json'])
    running.push(watching)
    await new Promise((resolve) => setTimeout(resolve, 5_000))

    one.kill('SIGKILL')
    await waitFor(() => isAt(second, 'source'), patience)
    startIngest(0)
    await waitFor(() => isAt(first, 'partner'), patience)
    expect(await isAt(second, 'source')).toBe(true)

    expect(await watching.exited).toBe(0)
    const { viewers } = JSON.parse(watching.stdout()) as {
      readonly viewers: ReadonlyArray<{ readonly stallMs: number }>
    }
    expect(viewers).toEqual([expect.objectContaining({ gaps: 0, duplicates: 0, hashMismatches: 0 })])
    // Encoders that had to begin anew would take longer.
    expect(viewers[0]?.stallMs).toBeLessThan(1_000)
  }, 90_000)
})
