import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { kindOf, trackNames } from '../../../src/media/format.js'
import { inspectSegment } from '../../../src/media/fmp4/index.js'
import { startIngest, type Ingest } from '../../../src/runtime/ingest.js'
import { waitFor } from '../../support/waitFor.js'
import { breaksIn, ffmpegNow, formatOf } from '../support.js'
import { watchEncoder, type WatchedEncoder } from '../viewing.js'

const format = formatOf({ smaller: [90], sounds: [{ language: 'en' }, { language: 'de' }, { language: 'fr' }] })
const names = trackNames(format)
const patience = { timeoutMs: 20_000 }

/** Hertz of a tone, from how often its wave crosses zero; 0 for silence. */
const pitchOf = (track: string, { inits, segments }: WatchedEncoder): number => {
  const init = track === 'audio' ? inits[0]?.audio : inits[0]?.others[track]
  const parts = segments.filter((segment) => segment.track === track).map(({ bytes }) => bytes)
  const pcm = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-i', 'pipe:0', '-ac', '1', '-ar', '48000', '-f', 's16le', 'pipe:1'],
    { input: Buffer.concat([init ?? new Uint8Array(), ...parts]), maxBuffer: 64 * 1024 * 1024 },
  )
  // Without the first half second, in which decoders settle.
  const levels = new Int16Array(pcm.buffer, pcm.byteOffset, Math.floor(pcm.length / 2)).slice(24_000)
  const signs = levels.filter((level) => Math.abs(level) > 200).map(Math.sign)
  const crossings = signs.filter((sign, index) => index > 0 && sign !== signs[index - 1]).length
  return (crossings / 2 / levels.length) * 48_000
}

describe('a source with several sound tracks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segue-sounds-'))
  const source = join(folder, 'film.mkv')
  const watched: WatchedEncoder[] = []
  let ingest: Ingest | null = null

  const start = (port = 0): Promise<Ingest> =>
    startIngest({ stream: 'one', format, source, port, dataDir: join(folder, 'data') })
  const watch = (feedUrl: string): WatchedEncoder => {
    const watching = watchEncoder({ format, feedUrl, stream: 'one', backMs: 2_000 })
    watched.push(watching)
    return watching
  }
  const count = (track: string, { numbers }: WatchedEncoder): number => numbers(track).length

  beforeAll(() => {
    ffmpegNow(
      ...['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-f', 'lavfi', '-i', 'sine=frequency=500'],
      ...['-f', 'lavfi', '-i', 'sine=frequency=1500:sample_rate=44100', '-map', '0:v', '-map', '1:a', '-map', '2:a'],
      ...['-t', '30', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', source],
    )
  })
  afterAll(async () => {
    await Promise.all(watched.map(({ encoder }) => encoder.stop()))
    await ingest?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('gives each its own numbered segments, alike from every encoder, with silence for one that the source lacks', async () => {
    ingest = await start()
    const first = watch(ingest.url)
    await waitFor(() => count('audio-3', first) >= 6, patience)
    const second = watch(ingest.url)
    const bytesOf = ({ segments }: WatchedEncoder): ReadonlyMap<string, Buffer> =>
      new Map(segments.map(({ track, number, bytes }) => [`${track} ${number}`, Buffer.from(bytes)]))
    const shared = (track: string): ReadonlyArray<string> =>
      [...bytesOf(second).keys()].filter((key) => key.startsWith(`${track} `) && bytesOf(first).has(key))
    await waitFor(() => names.every((track) => shared(track).length >= 8), patience)

    for (const key of names.flatMap(shared)) expect(bytesOf(second).get(key)).toEqual(bytesOf(first).get(key))
    expect(second.inits).toEqual(first.inits)
    expect(Object.keys(first.inits[0]?.others ?? {})).toEqual(['v90', 'audio-2', 'audio-3'])
    for (const { bytes, track, ...facts } of first.segments) {
      expect(inspectSegment(bytes, format)).toEqual(E.right({ ...facts, track: kindOf(track) }))
    }
    expect(pitchOf('audio', first)).toBeCloseTo(500, -1)
    expect(pitchOf('audio-2', first)).toBeCloseTo(1_500, -1)
    expect(pitchOf('audio-3', first)).toBe(0)
  }, 60_000)

  it('goes on with all of them after a restart of ingest, without leaving out a number', async () => {
    const [first] = watched
    if (first === undefined || ingest === null) throw new Error('the test before must have run')
    const port = Number(new URL(ingest.url).port)
    await ingest.close()
    const before = names.map((track) => count(track, first))
    ingest = await start(port)
    await waitFor(() => names.every((track, index) => count(track, first) >= (before[index] ?? 0) + 8), patience)

    for (const track of names) expect([track, breaksIn(first.numbers(track))]).toEqual([track, []])
    expect(first.saw('incomplete')).toBe(false)
  }, 60_000)
})
