import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { startNatsServer, type NatsTestServer } from '../support/natsServer.js'
import { buildSegue, fleetObstacle, runSegue, type SegueRun } from '../support/segueCommand.js'
import { describeUnless, testUnless } from '../support/skip.js'
import { waitFor } from '../support/waitFor.js'

const lacks = (protocol: string): string | false => {
  const { stdout } = spawnSync('ffmpeg', ['-hide_banner', '-protocols'], { encoding: 'utf8' })
  return !new RegExp(`^\\s*${protocol}$`, 'm').test(stdout ?? '') && `this ffmpeg does not speak ${protocol}`
}

describeUnless(fleetObstacle, 'an ingest that waits for a publisher', () => {
  let dataDir: string
  let nats: NatsTestServer
  let ingest: SegueRun
  let publisher: ChildProcess | undefined
  let isWanted = false

  beforeAll(buildSegue)

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'segue-listening-'))
    nats = await startNatsServer()
  })

  afterEach(async () => {
    stopPublishing()
    ingest.kill('SIGTERM')
    await ingest.exited
    await nats.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  const port = randomInt(12_000, 30_000)

  /** Publishes until it is told to stop; calls again where nobody answers yet, as publishers do. */
  const publish = (muxer: string, url: string): void => {
    isWanted = true
    publisher = spawn(
      'ffmpeg',
      [
        ...['-hide_banner', '-loglevel', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=25'],
        ...['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'],
        ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25', '-pix_fmt', 'yuv420p'],
        ...['-threads', '1', '-c:a', 'aac', '-f', muxer, url],
      ],
      { stdio: 'ignore' },
    )
    publisher.once('exit', () => {
      if (isWanted) publish(muxer, url)
    })
  }

  const stopPublishing = (): void => {
    isWanted = false
    publisher?.kill('SIGKILL')
  }

  const becomes = async (onAir: 'source' | 'slate'): Promise<void> => {
    const [, url = ''] = /feed at (\S+)/.exec(ingest.stderr()) ?? []
    await waitFor(
      async () => {
        const answer = await request(`${url}/feed/main/info`)
        return ((await answer.body.json()) as { readonly onAir: string }).onAir === onAir
      },
      { timeoutMs: 20_000, everyMs: 100, describe: () => `${onAir} on air\n${ingest.stderr()}` },
    )
  }

  /** Slate, publisher, slate, publisher again. */
  const lives = async (source: string, muxer: string, target: string): Promise<void> => {
    ingest = runSegue(['ingest', '--nats', nats.url, '--port', '0', '--data', dataDir, '--source', source])
    await waitFor(() => ingest.stderr().includes('feed at'), { timeoutMs: 20_000, describe: () => ingest.stderr() })
    await becomes('slate')
    publish(muxer, target)
    await becomes('source')
    stopPublishing()
    await becomes('slate')
    publish(muxer, target)
    await becomes('source')
  }

  testUnless(
    lacks('rtmp'),
    'takes it over RTMP, shows the slate when it goes, and takes it again',
    () => lives(`rtmp://127.0.0.1:${port}/live/x`, 'flv', `rtmp://127.0.0.1:${port}/live/x`),
    90_000,
  )

  testUnless(
    lacks('srt'),
    'takes it over SRT, shows the slate when it goes, and takes it again',
    () => lives(`srt://127.0.0.1:${port + 1}?mode=listener`, 'mpegts', `srt://127.0.0.1:${port + 1}?mode=caller`),
    90_000,
  )
})
