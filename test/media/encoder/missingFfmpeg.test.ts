import { startIngest } from '../../../src/runtime/ingest.js'
import { waitFor } from '../../support/waitFor.js'
import { formatOf } from '../support.js'
import { watchEncoder } from '../viewing.js'

describe('Without ffmpeg', () => {
  const { PATH, FFMPEG_PATH } = process.env

  beforeAll(() => {
    process.env['PATH'] = '/nowhere'
    delete process.env['FFMPEG_PATH']
  })

  afterAll(() => {
    process.env['PATH'] = PATH
    if (FFMPEG_PATH !== undefined) process.env['FFMPEG_PATH'] = FFMPEG_PATH
  })

  it('an encoder says what is missing and does not try again', async () => {
    const { encoder, states } = watchEncoder({ format: formatOf(), feedUrl: 'http://127.0.0.1:9', stream: 'one' })
    const failed = await waitFor(() => states.find(({ type }) => type === 'failed'))
    expect(failed).toMatchObject({ error: { _tag: 'FfmpegMissing', message: expect.stringContaining('install it') } })
    expect(encoder.stats().running).toBe(false)
    await encoder.stop()
  })

  it('ingest refuses to start', async () => {
    await expect(startIngest({ stream: 'one', format: formatOf() })).rejects.toMatchObject({ _tag: 'FfmpegMissing' })
  })
})
