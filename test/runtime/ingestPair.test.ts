import { execFileSync } from 'node:child_process'
import { startIngest, type Ingest, type IngestOptions, type IngestState } from '../../src/runtime/ingest.js'
import { flakyProxy, type FlakyProxy } from '../support/flakyProxy.js'
import { freePort } from '../support/freePort.js'
import { brightnessPeriod, frameOfBrightness, startSharedSource, type SharedSource } from '../support/sharedSource.js'
import { waitFor } from '../support/waitFor.js'
import { breaksIn, formatOf } from '../media/support.js'
import { watchEncoder, type WatchedEncoder } from '../media/viewing.js'

const format = formatOf({ crf: 12 })
const patience = { timeoutMs: 20_000 }
const backMs = 1_000
/** What an encoder looks back, and the group of pictures in which that begins. */
const framesBackMax = (backMs / 1_000) * 25 + format.gopFrames
/** What the slate looks like among the frames of the programme. */
const slateFrame = 6
const modulo = (value: number): number => ((value % brightnessPeriod) + brightnessPeriod) % brightnessPeriod
/** The same, as a step to either side. */
const signed = (value: number): number => modulo(value + brightnessPeriod / 2) - brightnessPeriod / 2

/**
 * Every frame of the programme once and in its place, but for one moment for which the slate stands: less than a segment,
 * after which the programme is where it would have been, to within three frames.
 */
const expectOneMoment = (seen: ReadonlyArray<number>): void => {
  // An encoder that looks back beyond the beginning of the programme sees the slate there, which is right.
  const begins = seen.findIndex((frame) => frame !== slateFrame)
  expect(begins).toBeGreaterThanOrEqual(0)
  expect(begins).toBeLessThanOrEqual(framesBackMax)
  const frames = seen.slice(begins)
  const odd = frames.flatMap((frame, index) =>
    index > 0 && modulo(frame - (frames[index - 1] ?? 0)) !== 1 ? [index] : [],
  )
  const [first, last] = [odd[0], odd.at(-1)]
  if (first === undefined || last === undefined) return
  const slate = frames.slice(first, last)
  expect(slate.filter((frame) => frame !== slateFrame)).toEqual([])
  expect(slate.length).toBeLessThanOrEqual(format.gopFrames)
  const shift = signed((frames[last] ?? 0) - (frames[first - 1] ?? 0) - (slate.length + 1))
  expect(Math.abs(shift)).toBeLessThanOrEqual(3)
}

interface Side {
  readonly url: string
  readonly port: number
  readonly states: IngestState[]
  ingest: Ingest | null
}

describe('two ingests of one contribution', () => {
  let source: SharedSource
  let sides: readonly [Side, Side]
  const watched: WatchedEncoder[] = []
  let proxy: FlakyProxy | null = null

  const start = async (side: Side, options: Partial<IngestOptions> = {}): Promise<Ingest> => {
    const partner = sides.find((each) => each !== side)
    side.states.length = 0
    side.ingest = await startIngest({
      ...{ stream: 'one', format, source: source.url, port: side.port },
      ...(partner === undefined ? {} : { partnerUrl: partner.url }),
      onState: (state) => side.states.push(state),
      ...options,
    })
    return side.ingest
  }
  const watch = (feedUrl: string): WatchedEncoder => {
    const watching = watchEncoder({ format, feedUrl, stream: 'one', backMs })
    watched.push(watching)
    return watching
  }
  const saw = ({ states }: Side, type: IngestState['type']): boolean => states.some((state) => state.type === type)
  const grows = async (by: number, { numbers }: WatchedEncoder): Promise<void> => {
    const before = numbers('video').length
    await waitFor(() => numbers('video').length >= before + by, patience)
  }
  const expectEqualBytes = (): void => {
    const [one, other] = watched.map(
      ({ segments }) => new Map(segments.map(({ track, number, bytes }) => [`${track} ${number}`, Buffer.from(bytes)])),
    )
    const shared = [...(one?.keys() ?? [])].filter((key) => other?.has(key))
    expect(shared.length).toBeGreaterThan(6)
    expect(shared.filter((key) => !one?.get(key)?.equals(other?.get(key) ?? Buffer.alloc(0)))).toEqual([])
  }
  /** Mean brightness of every frame that an encoder gave. */
  const brightness = ({ inits, segments }: WatchedEncoder): ReadonlyArray<number> => {
    const parts = segments.filter(({ track }) => track === 'video').map(({ bytes }) => bytes)
    const input = Buffer.concat([inits[0]?.video ?? new Uint8Array(), ...parts])
    const filter = ['-vf', 'scale=1:1:flags=area:in_range=tv:out_range=tv', '-pix_fmt', 'gray', '-f', 'rawvideo']
    return [...execFileSync('ffmpeg', ['-v', 'error', '-i', 'pipe:0', ...filter, 'pipe:1'], { input })]
  }

  beforeAll(async () => {
    source = await startSharedSource()
    const ports = [await freePort(), await freePort()] as const
    const side = (port: number): Side => ({ url: `http://127.0.0.1:${port}`, port, states: [], ingest: null })
    sides = [side(ports[0]), side(ports[1])]
  })
  afterAll(async () => {
    await Promise.all(watched.map(({ encoder }) => encoder.stop()))
    for (const { ingest } of sides) await ingest?.close()
    await proxy?.close()
    await source.close()
  })

  it('give out the same bytes, of which one alone is the origin', async () => {
    const [first, second] = sides
    await start(first)
    await start(second)
    expect([first.ingest?.isOnAir(), second.ingest?.isOnAir()]).toEqual([true, false])
    expect(second.ingest?.info()).toMatchObject({ onAir: 'partner' })
    for (const { url } of sides) await grows(6, watch(url))
    expectEqualBytes()
  }, 60_000)

  it('go on with the very next frame when the one on air ends, and nobody has to start again', async () => {
    const [first, second] = sides
    await waitFor(() => second.ingest?.info().holdsSource === true, patience)
    const pids = watched.map(({ encoder }) => encoder.pid())
    await first.ingest?.close()
    await waitFor(() => saw(second, 'tookOver'), patience)
    await Promise.all(watched.map((each) => grows(6, each)))

    expect(second.ingest?.info()).toMatchObject({ onAir: 'source', timesLost: 0 })
    expect(watched.map(({ encoder }) => encoder.pid())).toEqual(pids)
    for (const { numbers, saw: has } of watched) {
      expect([breaksIn(numbers('video')), breaksIn(numbers('audio')), has('incomplete')]).toEqual([[], [], false])
    }
    expectEqualBytes()
    const [one] = watched
    if (one === undefined) throw new Error('no encoder')
    expectOneMoment(brightness(one).map(frameOfBrightness))
  }, 60_000)

  it('leave the stream to the one that is on air as long as somebody else can reach it', async () => {
    const [first, second] = sides
    proxy = await flakyProxy(second.url)
    let isElsewhere = true
    await start(first, { partnerUrl: proxy.url, mayTakeOver: () => Promise.resolve(!isElsewhere) })
    expect(first.ingest?.info()).toMatchObject({ onAir: 'partner' })
    const live = (): number => first.ingest?.info().liveTicks ?? 0

    proxy.refuse(true)
    proxy.breakConnections()
    // What was on its way.
    await new Promise((resolve) => setTimeout(resolve, 300))
    const before = live()
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect([first.ingest?.isOnAir(), saw(first, 'tookOver')]).toEqual([false, false])
    expect(live()).toBe(before)
    proxy.refuse(false)
    await waitFor(() => live() > before + 3 * 90_000, patience)
    expect(first.ingest?.isOnAir()).toBe(false)

    isElsewhere = false
    proxy.refuse(true)
    proxy.breakConnections()
    await waitFor(() => saw(first, 'tookOver'), patience)
    expect(sides.map(({ ingest }) => ingest?.isOnAir())).toEqual([true, true])
  }, 60_000)

  it('are one again when one of two on air gives way, and encoders leave no number out', async () => {
    const [first] = sides
    await Promise.all(watched.map((each) => grows(3, each)))
    proxy?.refuse(false)
    await first.ingest?.stepDown()
    expect(first.ingest?.info()).toMatchObject({ onAir: 'partner' })
    await Promise.all(watched.map((each) => grows(10, each)))
    for (const { numbers } of watched) {
      expect([breaksIn(numbers('video')), breaksIn(numbers('audio'))]).toEqual([[], []])
    }
    for (const { segments } of watched) segments.splice(0, segments.length - 14)
    expectEqualBytes()
  }, 60_000)

  it('must have the same format', async () => {
    const [first] = sides
    await first.ingest?.close()
    await expect(start(first, { format: formatOf({ fps: 30 }) })).rejects.toMatchObject({
      _tag: 'BadState',
      message: expect.stringMatching(/^the partner at .+ has one on air in another format: give both the same --fps/),
    })
    first.ingest = null
  }, 30_000)
})
