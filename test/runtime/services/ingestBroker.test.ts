import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { subjects, type Unsubscribe } from '../../../src/messaging/index.js'
import { connectNats, type NatsTransport } from '../../../src/messaging/nats/index.js'
import { connectIngest, type IngestBroker } from '../../../src/runtime/services/ingestBroker.js'
import { flakyProxy, type FlakyProxy } from '../../support/flakyProxy.js'
import { hasNatsServer, startNatsServer, type NatsTestServer } from '../../support/natsServer.js'
import { describeUnless } from '../../support/skip.js'

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

describeUnless(!hasNatsServer && 'nats-server is not installed', 'whether a feed is off air', () => {
  let dir = ''
  let server: NatsTestServer
  let proxy: FlakyProxy
  let follower: IngestBroker
  let other: NatsTransport
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'segue-ingest-broker-'))
    server = await startNatsServer()
    proxy = await flakyProxy(server.url)
    follower = await connectIngest(proxy.url.replace('http:', 'nats:'), dir, quiet)
    other = await connectNats({ url: server.url, name: 'other' })
  })
  afterAll(async () => {
    await other.close()
    proxy.breakConnections()
    await follower.close()
    await proxy.close()
    await server.stop()
    await rm(dir, { recursive: true, force: true })
  })

  const serve = async (stream: string, answer: () => Promise<unknown>): Promise<Unsubscribe> => {
    const serving = other.respond(subjects.ingest(stream), answer)
    // The server knows of it: what another client asks from now on gets there.
    expect(await other.reachable(10_000)).toBe(true)
    return serving
  }

  test('it is when nobody answers for it, and is not when somebody does', async () => {
    expect(await follower.isOffAir('live')).toBe(true)
    const onAir = await serve('live', () => Promise.resolve({}))
    expect(await follower.isOffAir('live')).toBe(false)
    await onAir.close()
  })

  test('it is when the one that has it hangs', async () => {
    const onAir = await serve('hung', () => new Promise(() => undefined))
    expect(await follower.isOffAir('hung')).toBe(true)
    await onAir.close()
  })

  test('nobody knows whose own way to the broker is cut, also before the connection counts as lost', async () => {
    const onAir = await serve('live', () => Promise.resolve({}))
    proxy.swallow(true)
    expect(await follower.isOffAir('live')).toBe(false)
    proxy.swallow(false)
    await onAir.close()
  })
})
