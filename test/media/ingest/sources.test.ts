import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startIngest, type Ingest } from '../../../src/runtime/ingest.js'
import { waitFor } from '../../support/waitFor.js'
import { breaksIn, ffmpegNow, formatOf } from '../support.js'
import { decode, watchEncoder, type WatchedEncoder } from '../viewing.js'

const format = formatOf()
const patience = { timeoutMs: 15_000 }
const pattern = (size: string, rate: number): ReadonlyArray<string> => [
  ...['-f', 'lavfi', '-i', `testsrc=size=${size}:rate=${rate}:duration=2`],
]
const tone = (rate: number): ReadonlyArray<string> => [
  ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${rate}:duration=2`],
]
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']

describe('Sources', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segue-sources-'))
  let ingest: Ingest | null = null
  let watching: WatchedEncoder | null = null

  afterEach(async () => {
    await watching?.encoder.stop()
    await ingest?.close()
    ingest = null
    watching = null
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const onAir = async (source: string): Promise<WatchedEncoder> => {
    ingest = await startIngest({ stream: 'one', format, source })
    watching = watchEncoder({ format, feedUrl: ingest.url, stream: 'one' })
    return watching
  }

  const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>, number]> = [
    ['without sound', 'silent.mp4', [...pattern('320x180', 25), ...x264], 320],
    ['with mono sound at 44.1 kHz', 'mono.mp4', [...pattern('320x180', 25), ...tone(44_100), '-ac', '1', ...x264], 320],
    [
      'with a variable, odd frame rate',
      'vfr.mkv',
      [...pattern('320x180', 29.97), ...tone(48_000), '-vf', "select='lt(mod(n,7),4)'", '-vsync', 'vfr', ...x264],
      320,
    ],
    ['with odd dimensions', 'odd.mkv', [...pattern('321x241', 15), '-c:v', 'ffv1'], 240],
    ['in portrait', 'portrait.mp4', [...pattern('180x320', 25), ...x264], 102],
    [
      'interlaced, with pixels that are not square',
      'interlaced.ts',
      [
        ...[...pattern('720x576', 50), '-vf', 'tinterlace=4,fieldorder=tff', '-flags', '+ilme+ildct'],
        ...['-c:v', 'mpeg2video', '-b:v', '3M', '-aspect', '16:9'],
      ],
      320,
    ],
  ]

  it.each(cases)(
    '%s give a feed that encodes in the right shape',
    async (_, name, options, width) => {
      const path = join(folder, name)
      ffmpegNow(...options, path)
      const { numbers, configurations, segments, inits, saw } = await onAir(path)
      await waitFor(() => numbers('video').length >= 3 && numbers('audio').length >= 3, patience)
      expect(configurations[0]?.video).toMatchObject({ width, height: 180 })
      expect([breaksIn(numbers('video')), breaksIn(numbers('audio')), saw('incomplete')]).toEqual([[], [], false])
      expect(ingest?.info()).toMatchObject({ onAir: 'source', timesLost: 0 })
      const movie = Buffer.concat([inits[0]?.combined ?? Buffer.alloc(0), ...segments.map(({ bytes }) => bytes)])
      const frames = segments.filter(({ track }) => track === 'video').length * format.gopFrames
      expect(await decode(movie)).toEqual({ complaints: '', videoFrames: frames })
    },
    30_000,
  )

  it('whose clock wraps and whose picture changes its size on the way go on without a missing number', async () => {
    const wrapS = 2 ** 33 / 90_000
    const path = join(folder, 'wraps.ts')
    const parts = (['320x180', '160x120'] as const).map((size, index) => {
      const part = join(folder, `part${index}.ts`)
      const at = ['-output_ts_offset', String(wrapS - 1 + index * 2), '-muxdelay', '0']
      ffmpegNow(...pattern(size, 25), ...tone(48_000), ...x264, '-g', '25', ...at, part)
      return readFileSync(part)
    })
    writeFileSync(path, Buffer.concat(parts))
    const { numbers, configurations, segments, inits, saw } = await onAir(path)
    // The file is looped: both happen twice.
    await waitFor(() => numbers('video').length >= 20 && numbers('audio').length >= 20, patience)
    expect(ingest?.info()).toMatchObject({ onAir: 'source', timesLost: 0, sourceStarts: 1 })
    expect([breaksIn(numbers('video')), breaksIn(numbers('audio')), saw('incomplete')]).toEqual([[], [], false])
    expect(configurations).toMatchObject([{ video: { width: 320, height: 180 } }])
    const movie = Buffer.concat([inits[0]?.combined ?? Buffer.alloc(0), ...segments.map(({ bytes }) => bytes)])
    expect(await decode(movie)).toMatchObject({ complaints: '' })
  }, 30_000)

  it('that are files are looped without a seam', async () => {
    const path = join(folder, 'short.mp4')
    ffmpegNow(...pattern('320x180', 25), ...tone(48_000), '-t', '1.3', ...x264, path)
    const { numbers } = await onAir(path)
    await waitFor(() => numbers('video').length >= 10, patience)
    expect([breaksIn(numbers('video')), breaksIn(numbers('audio'))]).toEqual([[], []])
    expect(ingest?.info()).toMatchObject({ onAir: 'source', timesLost: 0, sourceStarts: 1 })
  }, 30_000)

  describe('that cannot be used are refused at the start, with the reason', () => {
    const refusal = (source: string, port = 0) => startIngest({ stream: 'one', format, source, port })

    it('a file that does not exist', async () => {
      await expect(refusal(join(folder, 'nothing.mp4'))).rejects.toMatchObject({
        _tag: 'BadSource',
        message: expect.stringContaining('there is no file'),
      })
    })

    it('a file that is not media', async () => {
      const path = join(folder, 'letter.mp4')
      writeFileSync(path, 'Dear Sir or Madam')
      await expect(refusal(path)).rejects.toMatchObject({
        _tag: 'SourceUnreadable',
        message: expect.stringMatching(/Invalid data/),
      })
    })

    it('a file without pictures', async () => {
      const path = join(folder, 'sound.wav')
      ffmpegNow(...tone(48_000), path)
      await expect(refusal(path)).rejects.toMatchObject({ message: expect.stringContaining('holds no video') })
    })

    it('an address of an unknown kind', async () => {
      await expect(refusal('gopher://example.org/x')).rejects.toMatchObject({ _tag: 'BadSource' })
    })

    it('any source, when the port is taken', async () => {
      const squatter = createServer()
      await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve))
      const { port } = squatter.address() as AddressInfo
      await expect(refusal('testcard', port)).rejects.toMatchObject({ _tag: 'AddressInUse' })
      await new Promise((resolve) => squatter.close(resolve))
    })
  })
})
