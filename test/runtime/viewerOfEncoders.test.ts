import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { promisify } from 'node:util'
import { subjects, type Assignment, type Route } from '../../src/messaging/index.js'
import { createMemoryTransport } from '../../src/messaging/memory/index.js'
import { signerOf } from '../../src/runtime/control/noticeSigner.js'
import { streamTicket } from '../../src/runtime/control/tickets.js'
import { startIngest, type Ingest } from '../../src/runtime/ingest.js'
import { startMediaServer, type MediaServer } from '../../src/runtime/mediaServer.js'
import { startViewers, type ViewerEvent } from '../../src/runtime/viewer.js'
import { formatOf } from '../media/support.js'
import { decode } from '../media/viewing.js'
import { waitFor } from '../support/waitFor.js'

const stream = 'demo'
const format = formatOf({ height: 180, smaller: [90] })
const segmentMs = format.segmentTicks / 90
const signer = signerOf(generateKeyPairSync('ed25519').privateKey)

type Of<T extends ViewerEvent['type']> = Extract<ViewerEvent, { readonly type: T }>

/** What ffprobe finds behind an address: codec and picture size of each stream. */
const probe = async (url: string): Promise<ReadonlyArray<string>> => {
  const entries = ['-show_entries', 'stream=codec_name,width,height', '-of', 'csv=p=0']
  const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', ...entries, url], { timeout: 10_000 })
  return [...new Set(stdout.trim().split(/\s+/))]
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0)

describe('a viewer of two real encoders', () => {
  const transport = createMemoryTransport()
  const events: ViewerEvent[] = []
  let dataDir: string
  let ingest: Ingest
  let a: MediaServer
  let b: MediaServer

  const said = <T extends ViewerEvent['type']>(type: T): ReadonlyArray<Of<T>> =>
    events.filter((event): event is Of<T> => event.type === type)
  /** Of the viewer of the larger picture, and of the smaller one. */
  const segmentsOf = (seat: 0 | 1) => said('segment').filter(({ session }) => session.endsWith(`-${seat}`))
  const lastNumber = (): number => segmentsOf(0).at(-1)?.data.number ?? 0
  const refOf = ({ id, url }: MediaServer): Route['primary'] => ({ id, url })

  const broadcast = (route: Route): void => {
    const issuedAt = Date.now()
    const notice = signer.sign({ route, issuedAt, expiresAt: issuedAt + 60_000 })
    const ticket = streamTicket(signer, stream, issuedAt)
    transport.broadcast(subjects.notice(stream), { notice, ticket, noticeKey: signer.publicKey, format })
  }
  const assign = async (server: MediaServer, role: 'primary' | 'standby', peer: MediaServer, route: Route) => {
    const assignment: Assignment = {
      ...{ stream, server: server.id, bootId: server.bootId, sequence: route.sequence, format, role, route },
      ...{ feedUrl: ingest.url, bufferSegments: 16, backfillMs: 3_000, mode: 'hot', encode: true, tasks: [] },
      peer: role === 'primary' ? null : refOf(peer),
    }
    const reply = await transport.request(subjects.command(server.id), { type: 'assign', assignment }, 2_000)
    expect(reply).toEqual({ type: 'done' })
  }

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'segue-viewer-'))
    ingest = await startIngest({ stream, format })
    const common = { host: '127.0.0.1', port: 0, transport, dataDir, capacityStreams: 1 }
    a = await startMediaServer({ ...common, id: 'a' })
    b = await startMediaServer({ ...common, id: 'b' })
  }, 30_000)

  afterAll(async () => {
    await Promise.all([a.stop(), b.stop()])
    await ingest.close()
    await transport.close()
    await rm(dataDir, { recursive: true, force: true })
  })

  test('plays through a hand-over without a flaw, and what it pipes out decodes without a complaint', async () => {
    const first: Route = {
      ...{ stream, epoch: 1, cutover: 0, primary: refOf(a), standby: refOf(b), previous: null, sequence: 1 },
    }
    broadcast(first)
    await assign(a, 'primary', b, first)
    await assign(b, 'standby', a, first)

    const piped: Buffer[] = []
    const pipe = new PassThrough()
    pipe.on('data', (chunk: Buffer) => piped.push(chunk))
    const viewers = startViewers({
      ...{ stream, bootstrap: [a.url], pipe, sessions: 2, renditions: ['video', 'v90'] },
      onEvent: (event) => events.push(event),
    })
    await waitFor(() => segmentsOf(0).length >= 10 && segmentsOf(1).length >= 10, {
      timeoutMs: 20_000,
      describe: 'ten segments',
    })

    const pictures = ['h264,320,180', 'h264,160,90']
    expect(await probe(`${a.url}/streams/${stream}/main.mpd?numbers=short`)).toEqual([...pictures, 'aac'])
    expect(await probe(`${a.url}/streams/${stream}/main.m3u8`)).toEqual(expect.arrayContaining([...pictures, 'aac']))

    const cutover = lastNumber() + 4
    const second: Route = {
      ...first,
      epoch: 2,
      cutover,
      primary: refOf(b),
      standby: refOf(a),
      previous: refOf(a),
      sequence: 2,
    }
    broadcast(second)
    await assign(b, 'primary', a, second)
    await waitFor(() => said('handover').length === 2, { timeoutMs: 10_000, describe: 'the hand-over' })
    await waitFor(() => lastNumber() >= cutover + 6, { timeoutMs: 10_000, describe: 'segments after it' })
    await viewers.stop()

    expect(said('handover')[0]?.data).toMatchObject({ epoch: 2, from: 'a', to: 'b', firstNumber: cutover, gaps: 0 })
    const flawless = { gaps: 0, duplicates: 0, hashMismatches: 0, stalls: 0 }
    expect(viewers.totals()).toMatchObject([flawless, flawless])
    const sizes = [segmentsOf(0), segmentsOf(1)].map((each) => each.map(({ data }) => data.video.byteLength))
    expect(sum(sizes[1] ?? []) / (sizes[1]?.length ?? 0)).toBeLessThan(sum(sizes[0] ?? []) / (sizes[0]?.length ?? 0))
    const { complaints, videoFrames } = await decode(Buffer.concat(piped))
    expect(complaints).toBe('')
    expect(videoFrames).toBe(segmentsOf(0).length * format.gopFrames)
    if (process.env['SEGUE_PRINT'] !== undefined) {
      const late = said('segment').map(({ at, data }) => Math.round(at - (data.number + 1) * segmentMs))
      console.log(JSON.stringify({ totals: viewers.totals(), late }))
    }
  }, 60_000)
})
