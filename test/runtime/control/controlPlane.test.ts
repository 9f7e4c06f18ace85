import { createServer, type Server } from 'node:http'
import { createPublicKey, verify } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { deciders } from '../../../src/actors/index.js'
import {
  defaultServerPolicy,
  defaultStreamPolicy,
  type EventStore,
  type RecordedEvent,
} from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import {
  subjects,
  type DeadLetter,
  type SessionDocument,
  type SignedTicket,
  type Ticket,
  type Transport,
} from '../../../src/messaging/index.js'
import { createMemoryBus } from '../../../src/messaging/memory/index.js'
import { replayAll } from '../../../src/projections/index.js'
import { startControlPlane, type ControlPlane } from '../../../src/runtime/control/controlPlane.js'
import { scriptedServer, type ScriptedServer } from '../../support/scriptedServer.js'
import { format } from '../../support/streamFacts.js'
import { waitFor } from '../../support/waitFor.js'

/** Answers every probe, so that nobody counts as dead. */
async function healthyOrigin(): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((_request, response) => response.end('{}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

interface Scene {
  readonly store: EventStore
  readonly bus: ReturnType<typeof createMemoryBus>
  readonly transport: Transport
  readonly servers: ReadonlyArray<ScriptedServer>
  readonly control: () => ControlPlane
  readonly startControl: (port?: number) => Promise<ControlPlane>
}

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A control plane, three servers, and the stream `main` on air with its standby filled. */
async function onAir(): Promise<Scene> {
  const dataDir = await mkdtemp(join(tmpdir(), 'segue-control-'))
  closers.push(() => rm(dataDir, { recursive: true, force: true }))
  const { server: origin, url } = await healthyOrigin()
  closers.push(() => new Promise((resolve) => origin.close(resolve).closeAllConnections()))
  const bus = createMemoryBus()
  const store = createMemoryStore()
  const transport = bus.connect('test')
  let current: ControlPlane | undefined
  const startControl = async (port = 0): Promise<ControlPlane> => {
    current = await startControlPlane({
      store,
      transport: bus.connect('control'),
      dataDir,
      host: '127.0.0.1',
      port,
      serverPolicy: defaultServerPolicy,
      streamPolicy: defaultStreamPolicy,
      logger: { info: () => undefined, warn: () => undefined },
    })
    const started = current
    closers.push(() => started.close())
    return started
  }
  const control = (): ControlPlane => {
    if (current === undefined) throw new Error('no control plane was started')
    return current
  }
  await startControl()
  const servers = await Promise.all(['s1', 's2', 's3'].map((id) => scriptedServer(transport, id, url)))
  closers.push(() => Promise.all(servers.map((each) => each.close())))
  await waitFor(async () => (await control().status()).servers.length === 3)
  await publish(transport, subjects.stream('main'), 'open', 'StreamOpened', {
    stream: 'main',
    run: 'r',
    format,
    feedUrl: url,
  })
  await waitFor(async () => (await control().status()).streams[0]?.standby?.synchronized === true)
  return { store, bus, transport, servers, control, startControl }
}

const publish = (transport: Transport, subject: string, id: string, type: string, data: unknown): Promise<void> =>
  transport.publish(subject, { id, occurredAt: 1, type, data }, { id })

async function eventsOf(store: EventStore, streamId = 'stream-main'): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.readStream(streamId)) events.push(event)
  return events
}

const post = async (control: ControlPlane, path: string, body: object) => {
  const answer = await request(`${control.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> }
}

const handOver = (control: ControlPlane, body: object = {}) => post(control, '/api/streams/main/handover', body)

const outcome = async (control: ControlPlane): Promise<string | undefined> =>
  (await control.status()).handovers.at(-1)?.outcome

describe('a control plane', () => {
  it('carries a handover through all its steps, and replay derives the same', async () => {
    const { store, control } = await onAir()
    expect(await handOver(control(), { to: 's3', by: 'ops' })).toMatchObject({ status: 202 })
    await waitFor(async () => (await outcome(control())) === 'completed')
    const status = await control().status()
    expect(status.streams[0]).toMatchObject({ epoch: 2, primary: { id: 's3' } })
    expect(await replayAll(store.readAll(), deciders)).toMatchObject({ identical: true })
  })

  it('gives viewers a route that its key has signed', async () => {
    const { transport, control } = await onAir()
    const answer = (await transport.request(subjects.route('main'), {}, 1_000)) as {
      readonly notice: { readonly payload: string; readonly signature: string }
      readonly noticeKey: string
    }
    const key = createPublicKey({ key: Buffer.from(answer.noticeKey, 'base64'), format: 'der', type: 'spki' })
    expect(verify(null, Buffer.from(answer.notice.payload), key, Buffer.from(answer.notice.signature, 'base64'))).toBe(
      true,
    )
    const session = await request(`${control().url}/api/streams/main/session`)
    const document = (await session.body.json()) as SessionDocument
    expect(document.noticeKey).toBe(answer.noticeKey)
    expect(JSON.parse(document.notice.payload)).toMatchObject({ route: { primary: { id: 's1' } } })
    const { ticket } = document
    expect(verify(null, Buffer.from(ticket.payload), key, Buffer.from(ticket.signature, 'base64'))).toBe(true)
    expect(JSON.parse(ticket.payload)).toMatchObject({ viewer: null, keys: [{ key: answer.noticeKey }] })
  })

  it('makes out tickets for one viewer each', async () => {
    const { control } = await onAir()
    const made = await post(control(), '/api/streams/main/tickets', { viewer: 'alice', validS: 60 })
    const ticket = JSON.parse((made.body as unknown as SignedTicket).payload) as Ticket
    expect(ticket).toMatchObject({ stream: 'main', viewer: 'alice' })
    expect(ticket.expiresAt - ticket.issuedAt).toBe(60_000)
    expect(await post(control(), '/api/streams/main/tickets', { viewer: 'al ice' })).toMatchObject({ status: 400 })
    expect(await post(control(), '/api/streams/main/tickets', { viewer: 'alice', validS: -1 })).toMatchObject({
      status: 400,
    })
    expect(await post(control(), '/api/streams/other/tickets', { viewer: 'alice' })).toMatchObject({ status: 404 })
  })

  it('tells viewers K when it is chosen, not when it is reached', async () => {
    const { servers, transport, control } = await onAir()
    for (const server of servers) server.mute.add('cutover')
    const toldAt: number[] = []
    const ear = transport.subscribe(subjects.notice('main'), ({ data }) => {
      const { notice } = data as { readonly notice: { readonly payload: string } }
      const { route } = JSON.parse(notice.payload) as { readonly route: { readonly epoch: number } }
      if (route.epoch === 2) toldAt.push(Date.now())
    })
    closers.push(() => ear.close())
    await handOver(control())
    await waitFor(() => toldAt.length > 0)
    const status = await control().status()
    expect(status.streams[0]?.handover?.phase).toBe('cutting')
    const chosen = status.handovers[0]?.steps.find((step) => step.name === 'cut-over chosen')
    const chosenAt = (status.handovers[0]?.requestedAt ?? 0) + (chosen?.atMs ?? 0)
    // At once: not with the next repetition, a second later.
    expect((toldAt[0] ?? Infinity) - chosenAt).toBeLessThan(500)
  })

  it.each(['StandbyActivationOrdered', 'CutoverChosen', 'StreamSwitched'])(
    'that is lost after %s finishes the handover when it is back',
    async (step) => {
      const { store, servers, control, startControl } = await onAir()
      const muteUntilBack = {
        StandbyActivationOrdered: 'activate',
        CutoverChosen: 'cutover',
        StreamSwitched: 'drain',
      } as const
      const mute = muteUntilBack[step as keyof typeof muteUntilBack]
      for (const server of servers) server.mute.add(mute)
      await handOver(control())
      await waitFor(async () => (await eventsOf(store)).some((event) => event.type === step))
      await control().close()
      for (const server of servers) server.mute.delete(mute)
      const again = await startControl()
      await waitFor(async () => (await outcome(again)) === 'completed')
      expect(await replayAll(store.readAll(), deciders)).toMatchObject({ identical: true })
    },
  )

  it('notices the return of a server that its predecessor had found silent', async () => {
    const { store, transport, servers, control, startControl } = await onAir()
    const beating = servers[1]
    await servers[1]?.close()
    const silence = async (type: string): Promise<boolean> =>
      (await eventsOf(store, 'server-s2')).some((event) => event.type === type)
    await waitFor(() => silence('HeartbeatMissed'))
    await control().close()
    await startControl()
    const heart = setInterval(() => {
      const beat = { server: 's2', bootId: beating?.bootId, seq: 1, sentAt: Date.now(), url: beating?.ref.url }
      transport.broadcast(subjects.heartbeat('s2'), beat)
    }, 50)
    closers.push(() => Promise.resolve(clearInterval(heart)))
    await waitFor(() => silence('HeartbeatResumed'))
  })

  it('buries what it cannot understand with the reason, on every subject, and goes on', async () => {
    const { transport, control } = await onAir()
    const letters: DeadLetter[] = []
    const consumer = await transport.consume({
      durable: 'letters',
      subject: subjects.deadletter,
      inFlightMax: 10,
      onMessage: async ({ data }) => {
        letters.push(data as DeadLetter)
        return Promise.resolve()
      },
    })
    closers.push(() => consumer.close())
    await transport.publish(subjects.health('s1'), 'garbage', { id: 'g1' })
    await publish(transport, subjects.stream('main'), 'g2', 'NoSuchEvent', {})
    await publish(transport, subjects.client('v1'), 'g3', 'ClientStalled', { edge: 's1', number: -3 })
    await publish(transport, subjects.stream('main'), 'g4', 'StreamSwitched', { handover: 'forged' })
    await publish(transport, subjects.health('s9'), 'g5', 'ServerJoined', {
      ...{
        server: 's9',
        bootId: 'b',
        url: 'nowhere',
        memoryLimitBytes: null,
        capacityStreams: 1,
        startedAt: 1,
        location: null,
      },
    })
    transport.broadcast(subjects.heartbeat('s1'), { server: 's1', seq: -1 })
    transport.broadcast(subjects.heartbeat('s1'), { server: 's2', bootId: 'b', seq: 1, sentAt: 1, url: 'http://x' })
    await waitFor(() => letters.length === 7)
    expect(letters.map((letter) => letter.subject).toSorted()).toEqual(
      [
        ...[subjects.client('v1'), subjects.health('s1'), subjects.stream('main'), subjects.stream('main')],
        ...[subjects.health('s9'), subjects.heartbeat('s1'), subjects.heartbeat('s1')],
      ].toSorted(),
    )
    expect(letters.every((letter) => letter.reason.length > 10)).toBe(true)
    await handOver(control())
    await waitFor(async () => (await outcome(control())) === 'completed')
  })

  it('says what is wrong with a request', async () => {
    const { control } = await onAir()
    expect(await handOver(control(), { to: 7 })).toMatchObject({ status: 400, body: { error: 'bad-target' } })
    for (const to of ['', 'media 2']) {
      expect(await handOver(control(), { to })).toMatchObject({ status: 400, body: { error: 'rejected' } })
    }
    const unknown = await request(`${control().url}/api/streams/nowhere/session`)
    expect(unknown.statusCode).toBe(404)
    expect(await unknown.body.json()).toMatchObject({ message: 'no stream nowhere is on air' })
    const drain = await request(`${control().url}/api/servers/s9/drain`, { method: 'POST' })
    expect(drain.statusCode).toBe(404)
    await drain.body.dump()
  })

  it('takes no order from a page of another site, which may read no more than viewers do', async () => {
    const { control } = await onAir()
    const { url } = control()
    const send = (path: string, method: 'POST' | 'GET', headers: Record<string, string>) =>
      request(`${url}${path}`, { method, headers })
    for (const headers of [
      { origin: 'https://other.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const { statusCode, body } = await send('/api/servers/s1/drain', 'POST', headers)
      expect([statusCode, await body.json()]).toEqual([403, expect.objectContaining({ error: 'other-site' })])
    }
    const origin = 'https://other.example'
    const readable = async (path: string): Promise<unknown> => {
      const { headers, body } = await send(path, 'GET', { origin })
      await body.dump()
      return headers['access-control-allow-origin']
    }
    expect(await Promise.all(['/api/status', '/api/streams/main/session'].map(readable))).toEqual([undefined, '*'])
    const own = await send('/api/streams/main/handover', 'POST', { origin: url, 'sec-fetch-site': 'same-origin' })
    await own.body.dump()
    expect(own.statusCode).toBe(202)
  })

  it('says which port is in use', async () => {
    const { control, startControl } = await onAir()
    const port = Number(new URL(control().url).port)
    await expect(startControl(port)).rejects.toThrow(`port ${port} on 127.0.0.1 is in use`)
  })

  it('moves streams off a server that is drained, and takes it back afterwards', async () => {
    const { control } = await onAir()
    await (await request(`${control().url}/api/servers/s1/drain`, { method: 'POST' })).body.dump()
    await waitFor(async () => (await control().status()).streams[0]?.primary?.id === 's2')
    await waitFor(async () => (await outcome(control())) === 'completed')
    await (await request(`${control().url}/api/servers/s1/drain`, { method: 'DELETE' })).body.dump()
    await waitFor(async () => (await control().status()).servers[0]?.standing === 'stable')
  })
})
