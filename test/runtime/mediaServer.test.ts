import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { decodePayload } from '../../src/events/index.js'
import { createMemoryBus, type MemoryBus } from '../../src/messaging/memory/index.js'
import {
  CommandReply,
  FactMessage,
  Heartbeat,
  subjects,
  type Command,
  type Route,
  type RouteAnswer,
  type Transport,
} from '../../src/messaging/index.js'
import { startMediaServer, type MediaServer, type MediaServerOptions } from '../../src/runtime/mediaServer.js'
import { sampleServerHealth } from '../../src/runtime/serverHealth.js'
import { assignmentOf, format, routeOf, scriptedEncoders, type ScriptedEncoders } from '../media/support/scripted.js'
import { waitFor } from '../support/waitFor.js'

let bus: MemoryBus
let control: Transport
let encoders: ScriptedEncoders
let dataDir: string
const servers: MediaServer[] = []
const facts: Array<FactMessage & { readonly subject: string }> = []

const start = async (options: Partial<MediaServerOptions> = {}): Promise<MediaServer> => {
  const server = await startMediaServer({
    id: 'b',
    host: '127.0.0.1',
    port: 0,
    transport: bus.connect(options.id ?? 'b'),
    dataDir,
    capacityStreams: 4,
    heartbeatMs: 20,
    encoderFactory: encoders.create,
    ...options,
  })
  servers.push(server)
  return server
}

const answerOf = (route: Route): RouteAnswer => {
  const now = Date.now()
  const payload = JSON.stringify({ route, issuedAt: now, expiresAt: now + 60_000 })
  const signed = { payload, signature: '', keyId: 'k' }
  return { notice: signed, ticket: signed, noticeKey: 'key', format }
}

const command = async (server: MediaServer, given: Command | object): Promise<CommandReply> => {
  const reply = CommandReply.decode(await control.request(subjects.command(server.id), given, 1_000))
  if (reply._tag === 'Left') throw new Error('the server answered nonsense')
  return reply.right
}

const of = (type: string) => facts.filter((fact) => fact.type === type)

beforeEach(async () => {
  bus = createMemoryBus()
  control = bus.connect('control')
  encoders = scriptedEncoders()
  dataDir = mkdtempSync(join(tmpdir(), 'segue-media-'))
  facts.length = 0
  for (const subject of [subjects.healthAll, subjects.streamAll]) {
    await control.consume({
      durable: 'test',
      subject,
      inFlightMax: 100,
      onMessage: async (message) => {
        if (FactMessage.is(message.data)) facts.push({ ...message.data, subject: message.subject })
      },
    })
  }
})
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
  await control.close()
  rmSync(dataDir, { recursive: true })
})

describe('a media server', () => {
  it('joins the fleet and beats', async () => {
    const beats: Heartbeat[] = []
    control.subscribe(subjects.heartbeatAll, ({ data }) => {
      if (Heartbeat.is(data)) beats.push(data)
    })
    const server = await start({ memoryLimitMb: 256 })
    await waitFor(() => of('ServerJoined').length === 1 && beats.length >= 3)
    expect(of('ServerJoined')[0]).toMatchObject({
      subject: 'segue.health.b',
      data: { server: 'b', bootId: server.bootId, url: server.url, memoryLimitBytes: 256 * 1024 * 1024 },
    })
    expect(beats.slice(0, 3).map(({ seq }) => seq)).toEqual([0, 1, 2])
    expect(beats[0]).toMatchObject({ server: 'b', bootId: server.bootId, url: server.url, everyMs: 20 })
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  })

  it('joins again, as the same, after the broker was away', async () => {
    await start()
    await waitFor(() => of('ServerJoined').length === 1)
    const published: string[] = []
    const spying = bus.connect('spy')
    const server = await start({
      id: 'c',
      transport: {
        ...spying,
        publish: async (subject, data, options) => {
          published.push(options.id)
          await spying.publish(subject, data, options)
        },
      },
    })
    await waitFor(() => of('ServerJoined').some(({ subject }) => subject === 'segue.health.c'))
    bus.interrupt()
    bus.resume()
    await waitFor(() => published.length >= 2)
    expect(new Set(published).size).toBe(1)
    expect(server.id).toBe('c')
  })

  it('does as it is assigned', async () => {
    const server = await start()
    const assignment = assignmentOf({ bootId: server.bootId, role: 'primary', encode: true, route: routeOf() })
    expect(await command(server, { type: 'assign', assignment })).toEqual({ type: 'done' })
    encoders.newest().emit(7)
    encoders.newest().level()
    const answer = await fetch(`${server.url}/streams/demo/video/7.m4s`)
    expect(answer.status).toBe(200)
    expect(server.metrics()).toEqual({ encodersRunning: 1, speed: 1, latenessMs: 130, streams: 1, viewers: 0 })
  })

  it('tells viewers what the control plane announces, and how to begin', async () => {
    const server = await start()
    expect((await fetch(`${server.url}/streams/demo/session`)).status).toBe(503)
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/notices/demo`)
    const heard: unknown[] = []
    socket.on('message', (data) => heard.push(JSON.parse(String(data))))
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send(
      JSON.stringify({ type: 'hello', session: 'v1', stream: 'demo', epochKnown: null, agent: 'test', ticket: null }),
    )
    await waitFor(() => server.metrics().viewers === 1)
    control.broadcast(subjects.notice('demo'), answerOf(routeOf()))
    await waitFor(() => heard.length === 2)
    expect(heard).toMatchObject([{ type: 'welcome', edge: 'b' }, { type: 'notice' }])
    const session: unknown = await (await fetch(`${server.url}/streams/demo/session`)).json()
    expect(session).toMatchObject({ stream: 'demo', format, notice: { keyId: 'k' }, noticeKey: 'key' })
    socket.terminate()
    await waitFor(() => server.metrics().viewers === 0)
  })

  it('that slept while it was primary learns that it was replaced before it serves anything new', async () => {
    const server = await start()
    const was = routeOf({ primary: { id: 'b', url: server.url }, standby: null })
    const assignment = assignmentOf({ bootId: server.bootId, role: 'primary', encode: true, route: was })
    await command(server, { type: 'assign', assignment })
    encoders.newest().emit(7)
    const is = routeOf({ epoch: 2, cutover: 8, sequence: 2, standby: null })
    control.respond(subjects.routeAll, async () => answerOf(is))
    const wakesAtMs = performance.now() + 500
    while (performance.now() < wakesAtMs) {
      // Nothing else of this process runs meanwhile, as if it had been stopped.
    }
    encoders.newest().emit(8)
    const statuses: number[] = []
    await waitFor(async () => {
      const answer = await fetch(`${server.url}/streams/demo/video/8.m4s`)
      await answer.arrayBuffer()
      statuses.push(answer.status)
      return answer.status === 421
    })
    expect(statuses.filter((status) => status !== 503 && status !== 421)).toEqual([])
    expect((await fetch(`${server.url}/streams/demo/video/7.m4s`)).status).toBe(200)
  })

  it('introduces itself again when the control plane takes another boot for it', async () => {
    const server = await start()
    await waitFor(() => of('ServerJoined').length === 1)
    const assignment = assignmentOf({ bootId: 'an earlier one' })
    for (let times = 0; times < 3; times += 1) await command(server, { type: 'assign', assignment })
    await waitFor(() => of('ServerJoined').length === 2)
    const [first, second] = of('ServerJoined')
    expect(second?.data).toEqual(first?.data)
    expect(second?.id).not.toBe(first?.id)
  })

  it('refuses what is not for this boot, and what it does not understand', async () => {
    const server = await start()
    const assignment = assignmentOf({ bootId: 'an earlier one' })
    expect(await command(server, { type: 'assign', assignment })).toMatchObject({ type: 'refused' })
    expect(await command(server, { type: 'assign', assignment: { stream: '../etc' } })).toMatchObject({
      type: 'refused',
      reason: expect.stringContaining('stream'),
    })
  })

  it('makes no faults unless that is allowed', async () => {
    const server = await start()
    const inject = { type: 'inject', fault: { type: 'cpu', rampMs: 1 } }
    expect(await command(server, inject)).toMatchObject({ type: 'refused' })
    const injected: unknown[] = []
    const fragile = await start({ id: 'c', onFault: (fault) => void injected.push(fault) })
    expect(await command(fragile, inject)).toEqual({ type: 'done' })
    expect(injected).toEqual([{ type: 'cpu', rampMs: 1 }])
  })

  it('publishes its health', async () => {
    const server = await start({ health: sampleServerHealth({ intervalMs: 200 }) })
    await waitFor(() => of('HealthSampled').length >= 2)
    const [sample] = of('HealthSampled')
    expect(decodePayload('server', sample ?? { type: '', data: null })).toMatchObject({
      _tag: 'Right',
      right: { data: { sample: { server: 'b', bootId: server.bootId, seq: 0, streams: 0 } } },
    })
  })

  it('keeps what it has to say while the broker is away', async () => {
    await start()
    await waitFor(() => of('ServerJoined').length === 1)
    const server = servers[0]
    bus.interrupt()
    server?.drain.start('test', null)
    bus.resume()
    await waitFor(() => of('DrainRequested').length === 1)
  })

  it('drains until its streams are gone, and says so to everybody', async () => {
    const server = await start()
    const assignment = assignmentOf({ bootId: server.bootId, role: 'primary', encode: true, route: routeOf() })
    await command(server, { type: 'assign', assignment })
    const drained = server.drained('test', 60_000)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503)
    await waitFor(() => of('DrainRequested').length === 1)
    expect(of('DrainRequested')[0]).toMatchObject({ subject: 'segue.health.b', data: { by: 'test' } })
    await command(server, { type: 'assign', assignment: { ...assignment, sequence: 2, role: 'none', encode: false } })
    expect(await drained).toMatchObject({ done: true })
  })

  it('does not drain beyond its deadline, and can be told to stay', async () => {
    const server = await start()
    const assignment = assignmentOf({ bootId: server.bootId, role: 'primary', encode: true })
    await command(server, { type: 'assign', assignment })
    expect(await server.drained('test', 50)).toMatchObject({ draining: true, done: false })
    await fetch(`${server.url}/drain?by=me`, { method: 'DELETE' })
    await waitFor(() => of('DrainCancelled').length === 1)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  })

  describe('that is asked to end while it drains', () => {
    const draining = async (deadlineMs: number) => {
      const server = await start()
      const assignment = assignmentOf({ bootId: server.bootId, role: 'primary', encode: true, route: routeOf() })
      await command(server, { type: 'assign', assignment })
      server.drain.start('before', deadlineMs)
      const letGo = () =>
        command(server, { type: 'assign', assignment: { ...assignment, sequence: 2, role: 'none', encode: false } })
      return { server, letGo }
    }

    it('waits for its streams although the deadline of that drain is over', async () => {
      const { server, letGo } = await draining(0)
      const drained = server.drained('test', 60_000)
      expect(server.drain.progress()).toMatchObject({ draining: true, done: false })
      await letGo()
      expect(await drained).toMatchObject({ done: true })
      await waitFor(() => of('DrainRequested').length > 0)
      expect(of('DrainRequested')).toMatchObject([{ data: { by: 'before' } }])
    })

    it('waits no longer than it may, whatever the deadline of that drain', async () => {
      const { server } = await draining(3_600_000)
      expect(await server.drained('test', 20)).toMatchObject({ draining: true, done: false })
    })

    it('drains again when that drain is cancelled: nobody can tell it to stay', async () => {
      const { server, letGo } = await draining(60_000)
      const drained = server.drained('test', 60_000)
      server.drain.cancel('me')
      await waitFor(() => server.drain.progress().draining)
      await letGo()
      expect(await drained).toMatchObject({ done: true })
      await waitFor(() => of('DrainRequested').length === 2)
      expect(of('DrainRequested')[1]).toMatchObject({ data: { by: 'test' } })
    })
  })

  it('says goodbye', async () => {
    const server = await start()
    await server.shutDown('SIGTERM', 1_000)
    await waitFor(() => of('ServerLeft').length === 1)
    expect(of('ServerLeft')[0]).toMatchObject({ data: { bootId: server.bootId, reason: 'SIGTERM' } })
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
  })
})

describe('a media server that cannot start', () => {
  it('says that the port is taken', async () => {
    const server = await start()
    const port = Number(new URL(server.url).port)
    await expect(start({ id: 'c', port })).rejects.toMatchObject({
      _tag: 'ListenFailed',
      message: `cannot listen on 127.0.0.1:${port}: the port is in use; choose another one, or 0 for any free one`,
    })
  })

  it('says that the address is not here', async () => {
    await expect(start({ host: '203.0.113.1' })).rejects.toMatchObject({ _tag: 'ListenFailed' })
  })

  it.each([
    [{ id: '../b' }, 'server id'],
    [{ port: 70_000 }, 'port 70000'],
    [{ capacityStreams: 0 }, 'capacity'],
    [{ heartbeatMs: 1 }, 'heartbeat'],
    [{ publicUrl: 'b.example' }, 'public address'],
    [{ natsUrl: 'nats://127.0.0.1:4222' }, 'either a transport'],
  ])('says what is wrong with %j', async (options, text) => {
    await expect(start(options)).rejects.toMatchObject({
      _tag: 'InvalidMediaServerOption',
      message: expect.stringContaining(text),
    })
  })
})
