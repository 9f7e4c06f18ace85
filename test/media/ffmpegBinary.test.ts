import * as E from 'fp-ts/lib/Either.js'
import { checkFfmpeg, findFfprobe, type Ffmpeg, type FfmpegError } from '../../src/media/ffmpegBinary.js'
import { fakePrograms, ffmpegAnswer, type FakePrograms } from '../support/fakePrograms.js'

describe('checkFfmpeg', () => {
  let programs: FakePrograms

  beforeEach(async () => {
    programs = await fakePrograms()
  })
  afterEach(() => programs.remove())

  const check = (env: NodeJS.ProcessEnv = {}): Promise<E.Either<FfmpegError, Ffmpeg>> =>
    checkFfmpeg({ env: { PATH: programs.folder, ...env }, systemFolders: [] })()

  it('accepts the ffmpeg of this machine', async () => {
    const result = await checkFfmpeg()()
    expect(result).toEqual(E.right({ path: expect.stringMatching(/ffmpeg$/), version: expect.stringMatching(/\d/) }))
  })

  it('tells path and version of one that has both encoders', async () => {
    const path = await programs.add('ffmpeg', ffmpegAnswer('libx264', 'aac'))
    expect(await check()).toEqual(E.right({ path, version: '9.9-test' }))
  })

  it('says how to install a missing one', async () => {
    expect(await check()).toEqual(
      E.left({ _tag: 'FfmpegMissing', message: expect.stringContaining('apt-get install ffmpeg') }),
    )
  })

  it('names the encoder that a build lacks', async () => {
    const path = await programs.add('ffmpeg', ffmpegAnswer('libopenh264', 'libx264rgb', 'aac'))
    expect(await check()).toEqual(
      E.left({
        _tag: 'FfmpegLacksEncoders',
        path,
        version: '9.9-test',
        missingEncoders: ['libx264'],
        message: expect.stringContaining('built without libx264'),
      }),
    )
  })

  it('says why one does not run', async () => {
    await programs.add('ffmpeg', { stderr: 'error while loading shared libraries: libx264.so.164', code: 127 })
    expect(await check()).toMatchObject(
      E.left({ _tag: 'FfmpegBroken', message: expect.stringContaining('libx264.so.164') }),
    )
  })

  it('takes the one that FFMPEG_PATH names, whatever PATH holds', async () => {
    await programs.add('ffmpeg', { code: 1 })
    const other = await programs.add('ffmpeg-full', ffmpegAnswer('libx264', 'aac'))
    expect(await check({ FFMPEG_PATH: other })).toMatchObject(E.right({ path: other }))
  })

  it('blames FFMPEG_PATH when it names no program', async () => {
    await programs.add('ffmpeg', ffmpegAnswer('libx264', 'aac'))
    expect(await check({ FFMPEG_PATH: '/no/such/ffmpeg' })).toEqual(
      E.left({ _tag: 'FfmpegMissing', message: expect.stringContaining('FFMPEG_PATH names /no/such/ffmpeg') }),
    )
  })
})

describe('findFfprobe', () => {
  let besideFfmpeg: FakePrograms
  let onPath: FakePrograms

  beforeEach(async () => {
    besideFfmpeg = await fakePrograms()
    onPath = await fakePrograms()
  })
  afterEach(() => Promise.all([besideFfmpeg.remove(), onPath.remove()]))

  const find = (env: NodeJS.ProcessEnv = {}): string | undefined =>
    findFfprobe(`${besideFfmpeg.folder}/ffmpeg`, { env: { PATH: onPath.folder, ...env }, systemFolders: [] })

  it('prefers the one beside ffmpeg to the one on PATH', async () => {
    const another = await onPath.add('ffprobe', {})
    expect(find()).toBe(another)
    const own = await besideFfmpeg.add('ffprobe', {})
    expect(find()).toBe(own)
  })

  it('takes what FFPROBE_PATH names before any other', async () => {
    await besideFfmpeg.add('ffprobe', {})
    const named = await onPath.add('ffprobe-7', {})
    expect(find({ FFPROBE_PATH: named })).toBe(named)
  })
})
