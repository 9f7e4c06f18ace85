import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import type { ControlStatus } from '../../src/runtime/control/status.js'
import { startNatsServer, type NatsTestServer } from '../support/natsServer.js'
import { fleetObstacle, portForFleet, runSegue, type SegueRun } from '../support/segueCommand.js'
import { describeUnless } from '../support/skip.js'
import { waitFor } from '../support/waitFor.js'

describeUnless(
  fleetObstacle,
  'media servers that are restarted one after the other, as systemd or Kubernetes do',
  () => {
    const runs = new Map<string, SegueRun>()
    let folder: string
    let nats: NatsTestServer
    let controlUrl: string

    const run = (name: string, command: string, ...args: ReadonlyArray<string>): void =>
      void runs.set(name, runSegue([command, '--nats', nats.url, '--data', join(folder, name), ...args]))
    const startMedia = (id: string): void => run(id, 'media', '--id', id, '--port', '0')
    const end = async (name: string): Promise<void> => {
      runs.get(name)?.kill('SIGTERM')
      expect(await runs.get(name)?.exited).toBe(0)
    }

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'segue-rolling-'))
      nats = await startNatsServer()
      const port = portForFleet()
      controlUrl = `http://127.0.0.1:${port}`
      run('control', 'control', '--port', port)
      for (const id of ['s1', 's2']) startMedia(id)
      run('ingest', 'ingest', '--port', '0', '--height', '180')
    }, 60_000)

    afterAll(async () => {
      for (const { kill } of runs.values()) kill('SIGKILL')
      await Promise.all([...runs.values()].map(({ exited }) => exited))
      await nats.stop()
      await rm(folder, { recursive: true, force: true })
    }, 60_000)

    let seen: ControlStatus | undefined
    const until = (what: string, holds: (status: ControlStatus) => boolean): Promise<unknown> =>
      waitFor(
        async () => {
          const { body } = await request(`${controlUrl}/api/status`)
          seen = (await body.json()) as ControlStatus
          return holds(seen)
        },
        { timeoutMs: 60_000, everyMs: 200, describe: () => `${what}: ${JSON.stringify(seen)}` },
      )
    const isSettled = ({ streams: [stream] }: ControlStatus): boolean =>
      stream?.handover === null && stream.standby?.synchronized === true
    const isAt = (primary: string) => (status: ControlStatus) =>
      isSettled(status) && status.streams[0]?.primary?.id === primary

    it('take streams again, each after its restart', async () => {
      await until('a stream with a standby', isSettled)
      const first = seen?.streams[0]?.primary?.id ?? ''
      const other = first === 's1' ? 's2' : 's1'

      await end(first)
      startMedia(first)
      await until(`the stream at ${other}, with its standby at ${first}`, isAt(other))
      await end(other)
      startMedia(other)
      await until(`the stream at ${first}, with its standby at ${other}`, isAt(first))

      expect(seen?.servers.map(({ standing }) => standing)).not.toContain('draining')
    }, 200_000)
  },
)
