import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createExporterHostSource, type ExporterState, type HostSource } from '../../../src/health/index.js'
import { freePort } from '../../support/freePort.js'
import { describeUnless } from '../../support/skip.js'
import { waitFor } from '../../support/waitFor.js'

const program = ['prometheus-node-exporter', 'node_exporter'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
)

describe('a machine measured by an exporter', () => {
  let server: Server
  let source: HostSource | null = null
  let answer: RequestListener
  const states: ExporterState[] = []
  // Time enough for a busy machine, but where it is to run out.
  const open = ({ path = '/metrics', timeoutMs = 10_000 } = {}): HostSource => {
    const { port } = server.address() as AddressInfo
    source = createExporterHostSource({
      url: `http://someone:secret@127.0.0.1:${port}${path}`,
      ...{ everyMs: 50, timeoutMs, onState: (state: ExporterState) => states.push(state) },
    })
    return source
  }
  beforeEach(async () => {
    states.length = 0
    server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    source?.close()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const lines = 'node_cpu_seconds_total{cpu="0",mode="idle"} 5\nnode_load1 2\n'

  it('says once that the exporter is silent, and gives out nothing that is old', async () => {
    let status = 200
    answer = (_request, response) => void response.writeHead(status).end(lines)
    const host = open()
    await waitFor(() => host.take(50).load1 === 2, { describe: 'the first reading' })
    status = 500
    await waitFor(() => host.take(50).load1 === null, { describe: 'the reading to get too old' })
    status = 200
    await waitFor(() => host.take(50).load1 === 2, { describe: 'readings again' })
    expect(states.map(({ type }) => type)).toEqual(['answers', 'silent', 'answers'])
    expect(states[1]).toMatchObject({ reason: 'it answered with status 500' })
    expect(JSON.stringify(states)).not.toContain('secret')
  })

  it.each([
    ['another page', (_q, response) => response.end('<html></html>'), /is it a node_exporter/, 10_000],
    ['no end', (_q, response) => void response.write(lines), /did not answer in time/, 400],
    ['too much', (_q, response) => response.end('x'.repeat(9 * 1024 * 1024)), /longer than/, 10_000],
  ] satisfies ReadonlyArray<readonly [string, RequestListener, RegExp, number]>)(
    'reports %s',
    async (_what, listener, why, timeoutMs) => {
      answer = listener
      open({ timeoutMs })
      await waitFor(() => states.length > 0, { describe: 'the state' })
      expect(states[0]).toMatchObject({ type: 'silent', reason: expect.stringMatching(why) })
    },
  )

  it('refuses what is no address', () => {
    expect(() => createExporterHostSource({ url: 'host:9100' })).toThrow(/give the http address of node_exporter/)
  })
})

describeUnless(program === undefined && 'node_exporter is not installed', 'the real node_exporter', () => {
  it('measures this machine', async () => {
    const port = await freePort()
    const exporter = spawn(program ?? '', [`--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
    const source = createExporterHostSource({ url: `http://127.0.0.1:${port}/metrics`, everyMs: 200 })
    try {
      const readings = await waitFor(
        () => {
          const now = source.take(200)
          return now.cpuRatio === null ? null : now
        },
        { describe: 'two scrapes', timeoutMs: 15_000 },
      )
      expect(readings.cores).toBeGreaterThanOrEqual(1)
      expect(readings.cpuRatio).toBeGreaterThanOrEqual(0)
      expect(readings.cpuRatio).toBeLessThanOrEqual(1)
      expect(readings.memoryRatio).toBeGreaterThan(0)
      expect(readings.load1).toBeGreaterThanOrEqual(0)
    } finally {
      source.close()
      exporter.kill()
      await once(exporter, 'exit')
    }
  })
})
