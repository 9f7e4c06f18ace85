import * as E from 'fp-ts/lib/Either.js'
import { kindOf, segmentNumberAt, ticksOfMs } from '../../../src/media/format.js'
import { inspectSegment } from '../../../src/media/fmp4/index.js'
import { startIngest, type Ingest } from '../../../src/runtime/ingest.js'
import { flakyProxy } from '../../support/flakyProxy.js'
import { waitFor } from '../../support/waitFor.js'
import { breaksIn, formatOf } from '../support.js'
import { sha256, watchEncoder, type WatchedEncoder } from '../viewing.js'

const format = formatOf({ smaller: [90] })
/** The 33 bit clock of the feed wraps ten seconds after the start: every run meets it, on a busy machine, too. */
const wrapMs = (2 ** 33 * 18_800) / 90
let openedAt: number | undefined
const nowMs = (): number => wrapMs - 10_000 + performance.now() - (openedAt ??= performance.now())
const patience = { timeoutMs: 15_000 }

describe('Encoders of one feed', () => {
  let ingest: Ingest
  const watched: WatchedEncoder[] = []

  const watch = (options: Partial<Parameters<typeof watchEncoder>[0]> = {}): WatchedEncoder => {
    const watching = watchEncoder({ format, feedUrl: ingest.url, stream: 'one', backMs: 3_000, ...options })
    watched.push(watching)
    return watching
  }

  const stopAll = (): Promise<unknown> => Promise.all(watched.splice(0).map(({ encoder }) => encoder.stop()))

  beforeAll(async () => {
    ingest = await startIngest({ stream: 'one', format, nowMs })
  })

  afterEach(stopAll)

  afterAll(async () => {
    await stopAll()
    await ingest.close()
  })

  it('write the same bytes under the same absolute numbers, wherever they start and over a wrap of the clock', async () => {
    const first = watch()
    await waitFor(() => nowMs() > wrapMs - 1_500, patience)
    // Else nothing would be known about the wrap.
    expect(first.numbers('video')[0]).toBeLessThan(segmentNumberAt(ticksOfMs(wrapMs), format))
    const second = watch()
    await waitFor(() => nowMs() > wrapMs + 500, patience)
    const third = watch({ backMs: 500 })
    const shared = (): ReadonlyArray<string> => {
      const keyOf = ({ track, number }: { track: string; number: number }): string => `${track} ${number}`
      const hashes = [first, second, third].map(
        ({ segments }) => new Map(segments.map((segment) => [keyOf(segment), sha256(segment.bytes)])),
      )
      const keys = [...(hashes[0]?.keys() ?? [])].filter((key) => hashes.every((map) => map.has(key)))
      for (const key of keys)
        expect([key, ...hashes.map((map) => map.get(key))]).toEqual([key, ...Array(3).fill(hashes[0]?.get(key))])
      return keys
    }
    await waitFor(() => shared().filter((key) => key.startsWith('video')).length >= 10, patience)
    for (const track of ['audio', 'v90']) {
      expect(shared().filter((key) => key.startsWith(track)).length).toBeGreaterThanOrEqual(9)
    }
    for (const { inits, segments, numbers, saw } of [first, second, third]) {
      expect(inits).toHaveLength(1)
      expect(inits[0]).toEqual(first.inits[0])
      expect([breaksIn(numbers('video')), breaksIn(numbers('audio')), saw('incomplete')]).toEqual([[], [], false])
      expect([breaksIn(numbers('v90')), Object.keys(inits[0]?.others ?? {})]).toEqual([[], ['v90']])
      for (const { bytes, track, ...facts } of segments) {
        expect(inspectSegment(bytes, format)).toEqual(E.right({ ...facts, track: kindOf(track) }))
      }
    }
    // On a busy machine an encoder may be late for a while, but it catches up with the clock.
    const behind = (): number => segmentNumberAt(ticksOfMs(nowMs()), format) - (first.numbers('video').at(-1) ?? 0)
    await waitFor(() => behind() < 8, { ...patience, describe: () => `an encoder that is ${behind()} segments behind` })
  }, 30_000)

  it('continue with the same ffmpeg, at the same byte, when the connection to the feed breaks', async () => {
    const proxy = await flakyProxy(ingest.url)
    const { encoder, numbers, states, saw } = watch({ feedUrl: proxy.url })
    await waitFor(() => saw('level'), patience)
    const pid = encoder.pid()
    proxy.refuse(true)
    proxy.breakConnections()
    await waitFor(() => saw('feedLost'), patience)
    const before = numbers('video').length
    proxy.refuse(false)
    await waitFor(() => numbers('video').length > before + 3, patience)
    expect(encoder.pid()).toBe(pid)
    expect([breaksIn(numbers('video')), breaksIn(numbers('audio'))]).toEqual([[], []])
    expect(states.filter(({ type }) => type === 'restarting')).toEqual([])
    await encoder.stop()
    await proxy.close()
  }, 30_000)

  it('start again without leaving out a number when ffmpeg dies', async () => {
    const { encoder, numbers, saw } = watch()
    await waitFor(() => saw('level'), patience)
    const pid = encoder.pid()
    process.kill(pid ?? 0, 'SIGKILL')
    const before = numbers('video').length
    await waitFor(() => numbers('video').length > before + 5, patience)
    expect(encoder.pid()).not.toBe(pid)
    expect(encoder.stats().restarts).toBe(1)
    expect([breaksIn(numbers('video')), breaksIn(numbers('audio'))]).toEqual([[], []])
  }, 30_000)

  it('report how overdue they are when ffmpeg hangs, and replace it', async () => {
    const { encoder, numbers, saw, states } = watch({ stuckMsMax: 1_500 })
    await waitFor(() => saw('level'), patience)
    expect(encoder.stats().latenessMs).toBeLessThan(600)
    const pid = encoder.pid() ?? 0
    process.kill(pid, 'SIGSTOP')
    await waitFor(() => (encoder.stats().latenessMs ?? 0) > 1_000, patience)
    await waitFor(() => saw('restarting'), patience)
    expect(states.find(({ type }) => type === 'restarting')).toMatchObject({
      reason: expect.stringMatching(/^FfmpegStuck/),
    })
    const before = numbers('video').length
    await waitFor(() => numbers('video').length > before + 5, patience)
    expect([breaksIn(numbers('video')), breaksIn(numbers('audio'))]).toEqual([[], []])
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  }, 30_000)

  it('hand over to a fresh ffmpeg from time to time without anybody noticing', async () => {
    const { encoder, numbers, saw } = watch({ rotateAfterMs: 1_500 })
    await waitFor(() => saw('level'), patience)
    const pid = encoder.pid()
    await waitFor(() => encoder.pid() !== pid, patience)
    const before = numbers('video').length
    await waitFor(() => numbers('video').length > before + 2, patience)
    expect([breaksIn(numbers('video')), breaksIn(numbers('audio'))]).toEqual([[], []])
    expect(saw('restarting')).toBe(false)
  }, 30_000)

  it('say so when the clock of the feed was set back, and give no number twice', async () => {
    const before = await startIngest({ stream: 'one', format, nowMs })
    const { numbers, states } = watch({ feedUrl: before.url })
    await waitFor(() => numbers('video').length >= 3, patience)
    await before.close()
    const given = numbers('video').length
    const port = Number(new URL(before.url).port)
    const after = await startIngest({ stream: 'one', format, port, nowMs: () => nowMs() - 60_000 })
    const reasons = (): string => states.map((state) => ('reason' in state ? state.reason : '')).join('\n')
    await waitFor(() => /FeedBehind: the feed at .+ is more than 4\d s behind/.test(reasons()), patience)
    await waitFor(() => numbers('video').length > given + 2, { timeoutMs: 1_000 }).catch(() => undefined)
    expect(breaksIn(numbers('video'))).toEqual([])
    await after.close()
  }, 30_000)

  it('leave no process behind when they are stopped', async () => {
    const { encoder, saw } = watch()
    await waitFor(() => saw('level'), patience)
    const pid = encoder.pid() ?? 0
    await encoder.stop()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    expect(saw('stopped')).toBe(true)
  }, 30_000)

  it('keep asking for a stream that is not there, with growing pauses, and say why', async () => {
    const { states } = watch({ stream: 'other' })
    await waitFor(() => states.filter(({ type }) => type === 'restarting').length >= 2, patience)
    expect(states.find(({ type }) => type === 'restarting')).toMatchObject({
      reason: expect.stringContaining('no feed of stream other'),
    })
  })
})
