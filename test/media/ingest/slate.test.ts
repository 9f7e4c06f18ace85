import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startIngest, type Ingest, type IngestState } from '../../../src/runtime/ingest.js'
import { waitFor } from '../../support/waitFor.js'
import { breaksIn, formatOf } from '../support.js'
import { decode, watchEncoder, type WatchedEncoder } from '../viewing.js'

const format = formatOf()
const patience = { timeoutMs: 15_000 }

/** Everything that the feed holds, as a reader gets it. */
const recorded = async (url: string): Promise<Buffer> => {
  const info = (await (await fetch(`${url}/feed/one/info`)).json()) as { readonly position: string }
  const offsetIn = (position: string | null): number => Number(position?.split('-').at(-1))
  const stop = new AbortController()
  const response = await fetch(`${url}/feed/one?from=0`, { signal: stop.signal })
  let missing = offsetIn(info.position) - offsetIn(response.headers.get('segue-feed-position'))
  const chunks: Uint8Array[] = []
  const reader = response.body?.getReader()
  for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
    chunks.push(read.value)
    missing -= read.value.length
    if (missing <= 0) break
  }
  stop.abort()
  // What came beyond may end within a frame.
  const all = Buffer.concat(chunks)
  return all.subarray(0, all.length + Math.min(missing, 0))
}

describe('A feed whose source fails', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segue-slate-'))
  let ingest: Ingest | null = null
  let watching: WatchedEncoder | null = null
  let states: IngestState[] = []

  const start = async (source: string, port = 0): Promise<Ingest> => {
    states = []
    ingest = await startIngest({
      stream: 'one',
      format,
      source,
      port,
      dataDir: folder,
      onState: (state) => states.push(state),
    })
    return ingest
  }

  const times = (type: IngestState['type']): number => states.filter((state) => state.type === type).length

  afterEach(async () => {
    await watching?.encoder.stop()
    await ingest?.close()
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('goes on with a slate and comes back, without a missing number or an undecodable frame', async () => {
    const { url, info } = await start('testcard')
    watching = watchEncoder({ format, feedUrl: url, stream: 'one' })
    const { numbers } = watching
    await waitFor(() => numbers('video').length >= 2, patience)

    process.kill(info().pid ?? 0, 'SIGSTOP')
    const stalled = info().pid ?? 0
    await waitFor(() => times('sourceLost') === 1, patience)
    expect(states.at(-1)).toEqual({ type: 'sourceLost', reason: 'no media for 1000 ms' })
    const inSlate = numbers('video').length
    await waitFor(() => numbers('video').length >= inSlate + 4, patience)
    process.kill(stalled, 'SIGCONT')
    await waitFor(() => times('sourceRestored') === 1, patience)
    expect(info()).toMatchObject({ onAir: 'source', pid: stalled })

    process.kill(stalled, 'SIGKILL')
    await waitFor(() => times('sourceLost') === 2, patience)
    await waitFor(() => times('sourceRestored') === 2, patience)
    expect(info()).toMatchObject({ onAir: 'source', sourceStarts: 2 })
    const restored = numbers('video').length
    await waitFor(() => numbers('video').length >= restored + 3, patience)

    expect([breaksIn(numbers('video')), breaksIn(numbers('audio')), watching.saw('incomplete')]).toEqual([
      [],
      [],
      false,
    ])
    const encodedFrames = numbers('video').length * format.gopFrames
    const bytes = await recorded(url)
    const { complaints, videoFrames } = await decode(bytes, ['-f', 'mpegts'])
    expect(complaints).toBe('')
    expect(videoFrames).toBeGreaterThanOrEqual(encodedFrames)
  }, 40_000)

  it('is continued by a restarted ingest at the very next byte, so that an encoder that waits goes on', async () => {
    const first = await start('testcard')
    const port = Number(new URL(first.url).port)
    watching = watchEncoder({ format, feedUrl: first.url, stream: 'one' })
    const { numbers, saw } = watching
    await waitFor(() => numbers('video').length >= 3, patience)
    await first.close()
    const before = numbers('video').length
    const { url } = await start('testcard', port)
    await waitFor(() => times('sourceRestored') === 1, patience)
    await waitFor(() => numbers('video').length >= before + 6, patience)
    expect([breaksIn(numbers('video')), breaksIn(numbers('audio'))]).toEqual([[], []])
    expect([saw('restarting'), saw('incomplete')]).toEqual([false, false])
    const { complaints } = await decode(await recorded(url), ['-f', 'mpegts'])
    expect(complaints).toBe('')
  }, 40_000)

  it('is on air with the slate while a network source is not there yet', async () => {
    const { url, info } = await start('http://127.0.0.1:9/live.ts')
    watching = watchEncoder({ format, feedUrl: url, stream: 'one' })
    const { numbers } = watching
    await waitFor(() => numbers('video').length >= 2 && numbers('audio').length >= 2, patience)
    expect(info()).toMatchObject({ onAir: 'slate', width: 320, height: 180 })
    await waitFor(() => /127.0.0.1:9|no media/.test(info().lostReason ?? ''), patience)
  }, 30_000)
})
