import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { ServerRef, StitchResult } from '../../src/events/index.js'
import { inspectSegment } from '../../src/media/fmp4/index.js'
import { createMemoryBus } from '../../src/messaging/memory/index.js'
import {
  FactMessage,
  Manifest,
  subjects,
  type Assignment,
  type Route,
  type RouteAnswer,
  type Transport,
} from '../../src/messaging/index.js'
import { startIngest, type Ingest } from '../../src/runtime/ingest.js'
import { startMediaServer, type MediaServer } from '../../src/runtime/mediaServer.js'
import { formatOf } from '../media/support.js'
import { waitFor } from '../support/waitFor.js'

const format = formatOf()
const stream = 'demo'
const started = { timeoutMs: 15_000 }

let ingest: Ingest
let control: Transport
let a: MediaServer
let b: MediaServer
let dataDir: string
let sequence = 0
const facts: FactMessage[] = []

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'segue-two-'))
  facts.length = 0
  const bus = createMemoryBus()
  control = bus.connect('control')
  await control.consume({
    durable: 'test',
    subject: subjects.streamAll,
    inFlightMax: 100,
    onMessage: async ({ data }) => {
      if (FactMessage.is(data)) facts.push(data)
    },
  })
  ingest = await startIngest({ stream, format })
  const begin = (id: string): Promise<MediaServer> =>
    startMediaServer({ id, host: '127.0.0.1', port: 0, transport: bus.connect(id), dataDir, capacityStreams: 4 })
  a = await begin('a')
  b = await begin('b')
}, 30_000)

afterEach(async () => {
  await Promise.all([a.stop(), b.stop()])
  await ingest.close()
  await control.close()
  rmSync(dataDir, { recursive: true })
}, 30_000)

const ref = ({ id, url }: MediaServer): ServerRef => ({ id, url })

const assign = async (server: MediaServer, part: Partial<Assignment>): Promise<void> => {
  sequence += 1
  const assignment: Assignment = {
    stream,
    server: server.id,
    bootId: server.bootId,
    sequence,
    format,
    feedUrl: ingest.url,
    bufferSegments: 16,
    backfillMs: 3_000,
    mode: 'warm',
    role: 'standby',
    encode: false,
    peer: null,
    route: null,
    tasks: [],
    ...part,
  }
  const reply = await control.request(subjects.command(server.id), { type: 'assign', assignment }, 2_000)
  expect(reply).toEqual({ type: 'done' })
}

const announce = (route: Route): void => {
  const now = Date.now()
  const payload = JSON.stringify({ route, issuedAt: now, expiresAt: now + 10_000 })
  const signed = { payload, signature: '', keyId: 'k' }
  const answer: RouteAnswer = { notice: signed, ticket: signed, noticeKey: '', format }
  control.broadcast(subjects.notice(stream), answer)
}

const manifestOf = async (server: MediaServer): Promise<Manifest> => {
  const manifest: unknown = await (await fetch(`${server.url}/streams/${stream}/manifest.json`)).json()
  if (!Manifest.is(manifest)) throw new Error('no manifest')
  return manifest
}

const liveOf = async (server: MediaServer): Promise<number> =>
  waitFor(async () => (await manifestOf(server)).live, { ...started, describe: `the first segment at ${server.id}` })

const factOf = async (type: string): Promise<Record<string, unknown>> =>
  waitFor(() => facts.find((fact) => fact.type === type)?.data as Record<string, unknown>, {
    ...started,
    describe: () => `${type}; so far: ${JSON.stringify(facts.map(({ type, data }) => [type, data]).slice(-3))}`,
  })

const segment = (server: MediaServer, number: number): Promise<Response> =>
  fetch(`${server.url}/streams/${stream}/video/${number}.m4s`)

/** Plays every number in order, from the first of the servers that gives it; notes the hash of each. */
const play = (from: number, servers: () => ReadonlyArray<MediaServer>) => {
  const played = new Map<number, { readonly server: string; readonly sha256: string }>()
  let next = from
  let going = true
  const step = async (): Promise<void> => {
    for (const server of servers()) {
      const answer = await segment(server, next).catch(() => null)
      if (answer === null || answer.status !== 200) {
        await answer?.arrayBuffer()
        continue
      }
      const bytes = new Uint8Array(await answer.arrayBuffer())
      const facts = inspectSegment(bytes, format)
      if (E.isLeft(facts) || facts.right.number !== next) throw new Error(`segment ${next} is not what it should be`)
      played.set(next, { server: server.id, sha256: createHash('sha256').update(bytes).digest('hex') })
      next += 1
      return
    }
  }
  const running = (async () => {
    while (going) await step()
  })()
  return {
    played,
    last: () => next - 1,
    async stop() {
      going = false
      await running
    },
  }
}

describe('two media servers on a real feed', () => {
  it('hand a stream over at an exact number, and the old one lets go of it', async () => {
    const before: Route = {
      stream,
      epoch: 1,
      cutover: 0,
      primary: ref(a),
      standby: ref(b),
      previous: null,
      sequence: 1,
    }
    await assign(a, { role: 'primary', encode: true, route: before })
    const first = await liveOf(a)
    await waitFor(async () => (await manifestOf(a)).segments.length >= 16, started)
    await assign(b, { peer: ref(a), route: before, tasks: [{ type: 'synchronize', order: 's1' }] })
    const synchronized = await factOf('BufferSynchronized')
    expect(synchronized).toMatchObject({ server: 'b', result: { unverified: 0, different: 0, initIdentical: true } })
    expect((synchronized.result as StitchResult).hashes).toHaveLength(16)
    let route = before
    const viewer = play(first, () => (route === before ? [a, b] : [b, a]))

    await assign(b, { peer: ref(a), route: before, encode: true, tasks: [{ type: 'activate', order: 'h1-a1' }] })
    const stitched = await factOf('BufferStitched')
    expect(await factOf('StandbyActivated')).toMatchObject({ order: 'h1-a1', server: 'b' })
    expect(stitched).toMatchObject({ result: { unverified: 0, different: 0, initIdentical: true } })

    const cutover = (stitched.liveNumber as number) + 3
    route = { ...before, epoch: 2, cutover, primary: ref(b), standby: ref(a), previous: ref(a), sequence: 2 }
    announce(route)
    const reach = { type: 'cutover', order: 'h1-k', epoch: 2, cutover } as const
    await assign(b, { peer: ref(a), route, encode: true, tasks: [{ type: 'activate', order: 'h1-a1' }, reach] })
    expect(await factOf('CutoverReached')).toMatchObject({ epoch: 2, server: 'b', number: cutover })

    const after: Route = { ...route, standby: null, sequence: 3 }
    announce(after)
    await assign(b, { role: 'primary', route: after, encode: true })
    const drain = { type: 'drain', order: 'h1-d', epoch: 1, cutover, deadlineMs: 6_000 } as const
    await assign(a, { role: 'retired', route: after, encode: true, peer: ref(b), tasks: [drain] })
    expect((await segment(a, cutover)).status).toBe(421)
    expect((await segment(a, cutover - 1)).status).toBe(200)
    const served = await segment(b, cutover)
    expect([served.status, served.headers.get('segue-epoch')]).toEqual([200, '2'])

    expect(await factOf('PrimaryDrained')).toMatchObject({ epoch: 1, server: 'a', forced: false })
    await waitFor(async () => !(await manifestOf(a)).encoding)
    await waitFor(() => viewer.last() >= cutover + 5, started)
    await viewer.stop()
    expect([...viewer.played.keys()]).toEqual(
      Array.from({ length: viewer.last() - first + 1 }, (_, index) => first + index),
    )
    expect(viewer.played.get(cutover - 1)?.server).toBeDefined()
    expect(viewer.played.get(cutover + 3)?.server).toBe('b')
    const { segments } = await manifestOf(b)
    for (const { number, video } of segments) {
      const seen = viewer.played.get(number)
      if (seen !== undefined) expect([number, seen.sha256]).toEqual([number, video.sha256])
    }
  }, 60_000)

  it('can be played by an ordinary player', async () => {
    await assign(a, { role: 'primary', encode: true })
    await waitFor(async () => (await manifestOf(a)).segments.length >= 10, started)
    const player = spawn('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-i', `${a.url}/streams/${stream}/main.m3u8`, '-t', '4'],
      ...['-f', 'framehash', '-'],
    ])
    const [said, shown]: [string[], string[]] = [[], []]
    player.stderr.on('data', (data) => said.push(String(data)))
    player.stdout.on('data', (data) => shown.push(String(data)))
    const status = await new Promise((resolve) => player.once('close', resolve))
    expect([status, said.join('')]).toEqual([0, ''])
    const frames = shown
      .join('')
      .split('\n')
      .filter((line) => /^\d+,/.test(line))
    expect(frames.filter((line) => line.startsWith('0,')).length).toBe(100)
    expect(frames.filter((line) => line.startsWith('1,')).length).toBeGreaterThan(180)
  }, 60_000)

  it('go on for viewers when the primary dies and nobody is there to decide', async () => {
    const route: Route = {
      stream,
      epoch: 1,
      cutover: 0,
      primary: ref(a),
      standby: ref(b),
      previous: null,
      sequence: 1,
    }
    await assign(a, { role: 'primary', encode: true, route })
    const first = await liveOf(a)
    await assign(b, { peer: ref(a), route, tasks: [{ type: 'synchronize', order: 's1' }] })
    await factOf('BufferSynchronized')
    const viewer = play(first, () => [a, b])
    await waitFor(() => viewer.last() > first + 3, started)
    const diedAt = viewer.last()
    await a.stop()
    await waitFor(() => viewer.last() > diedAt + 8, { ...started, describe: 'the standby to serve new segments' })
    await viewer.stop()
    expect([...viewer.played.keys()]).toEqual(
      Array.from({ length: viewer.last() - first + 1 }, (_, index) => first + index),
    )
    expect(viewer.played.get(viewer.last())?.server).toBe('b')
    expect((await manifestOf(b)).encoding).toBe(true)
  }, 60_000)
})
