import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { probeSource } from '../../../src/media/ingest/index.js'
import { fakePrograms } from '../../support/fakePrograms.js'
import { ffmpegNow } from '../support.js'

describe('probeSource', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segue-probe-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('tells the size as it is shown, and the length', async () => {
    const path = join(folder, 'wide.mp4')
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=25', '-t', '2', '-c:v', 'libx264']
    ffmpegNow(...picture, '-preset', 'ultrafast', '-vf', 'setsar=4/3', path)
    expect(await probeSource(path)).toEqual(
      E.right({ width: 427, height: 240, interlaced: false, durationSeconds: expect.closeTo(2, 1) }),
    )
  })

  it('ends ffprobe when an address does not answer in time', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/live.ts`
    expect(await probeSource(url, 600)).toEqual(
      E.left(expect.objectContaining({ _tag: 'SourceUnreadable', message: `${url} gave no media within 600 ms` })),
    )
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(url)
    silent.close()
  })

  it.each([
    ['is not there', undefined, 'FfmpegMissing', /ffprobe was not found: install ffmpeg, or set FFPROBE_PATH/],
    ['says nothing', { stdout: 'hello' }, 'SourceUnreadable', /ffprobe says nothing of it that can be understood/],
  ])('says so when ffprobe %s', async (_, program, tag, message) => {
    const programs = await fakePrograms()
    const before = process.env.FFPROBE_PATH
    process.env.FFPROBE_PATH = join(programs.folder, 'ffprobe')
    if (program !== undefined) await programs.add('ffprobe', program)
    try {
      expect(await probeSource('film.mp4')).toMatchObject({
        left: { _tag: tag, message: expect.stringMatching(message) },
      })
    } finally {
      if (before === undefined) delete process.env.FFPROBE_PATH
      else process.env.FFPROBE_PATH = before
      await programs.remove()
    }
  })
})
