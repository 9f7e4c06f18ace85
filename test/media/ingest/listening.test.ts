import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { startNatsServer, type NatsTestServer } from '../../support/natsServer.js'
import { buildSegue, fleetObstacle, runSegue, type SegueRun } from '../../support/segueCommand.js'
import { describeUnless, testUnless } from '../../support/skip.js'
import { waitFor } from '../../support/waitFor.js'

const lacks = (protocol: string): string | false => {
  const { stdout } = spawnSync('ffmpeg', ['-hide_banner', '-protocols'], { encoding: 'utf8' })
  return !new RegExp(`^\\s*${protocol}$`, 'm').test(stdout ?? '') && `this ffmpeg does not speak ${protocol}`
}

/** An ingest with a broker of its own, that waits at `source`, and somebody who publishes to `target` or does not. */
class Contribution {
  private isWanted = false
  private publisher: ChildProcess | undefined

  private constructor(
    private readonly dataDir: string,
    private readonly nats: NatsTestServer,
    private readonly ingest: SegueRun,
  ) {}

  static async start(source: string): Promise<Contribution> {
    const dataDir = await mkdtemp(join(tmpdir(), 'segue-listening-'))
    const nats = await startNatsServer()
    const ingest = runSegue(['ingest', '--nats', nats.url, '--port', '0', '--data', dataDir, '--source', source])
    return new Contribution(dataDir, nats, ingest)
  }

  async close(): Promise<void> {
    this.stopPublishing()
    this.ingest.kill('SIGTERM')
    await this.ingest.exited
    await this.nats.stop()
    await rm(this.dataDir, { recursive: true, force: true })
  }

  /** Publishes until it is told to stop; calls again where nobody answers yet, as publishers do. */
  publish(muxer: string, url: string): void {
    this.isWanted = true
    this.publisher = spawn(
      'ffmpeg',
      [
        ...['-hide_banner', '-loglevel', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=25'],
        ...['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'],
        ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25', '-pix_fmt', 'yuv420p'],
        ...['-threads', '1', '-c:a', 'aac', '-f', muxer, url],
      ],
      { stdio: 'ignore' },
    )
    this.publisher.once('exit', () => {
      if (this.isWanted) this.publish(muxer, url)
    })
  }

  stopPublishing(): void {
    this.isWanted = false
    this.publisher?.kill('SIGKILL')
  }

  async isListening(): Promise<void> {
    const { stderr } = this.ingest
    await waitFor(() => stderr().includes('feed at'), { timeoutMs: 20_000, describe: stderr })
  }

  async becomes(onAir: 'source' | 'slate'): Promise<void> {
    const [, url = ''] = /feed at (\S+)/.exec(this.ingest.stderr()) ?? []
    await waitFor(
      async () => {
        const answer = await request(`${url}/feed/main/info`)
        return ((await answer.body.json()) as { readonly onAir: string }).onAir === onAir
      },
      { timeoutMs: 20_000, everyMs: 100, describe: () => `${onAir} on air\n${this.ingest.stderr()}` },
    )
  }
}

/** Slate, publisher, slate, publisher again. */
async function comesAndGoes(source: string, muxer: string, target: string): Promise<void> {
  const contribution = await Contribution.start(source)
  try {
    await contribution.isListening()
    await contribution.becomes('slate')
    contribution.publish(muxer, target)
    await contribution.becomes('source')
    contribution.stopPublishing()
    await contribution.becomes('slate')
    contribution.publish(muxer, target)
    await contribution.becomes('source')
  } finally {
    await contribution.close()
  }
}

describeUnless(fleetObstacle, 'an ingest that waits for a publisher', () => {
  const port = randomInt(12_000, 30_000)
  const withoutRtmp = lacks('rtmp')
  const withoutSrt = lacks('srt')
  /** Both wait for something nearly all the time, so they do it at the same time. */
  const none = Promise.resolve()
  let overRtmp: Promise<void> = none
  let overSrt: Promise<void> = none

  beforeAll(() => {
    buildSegue()
    const [rtmp, srt] = [`rtmp://127.0.0.1:${port}/live/x`, `srt://127.0.0.1:${port + 1}`]
    if (withoutRtmp === false) overRtmp = comesAndGoes(rtmp, 'flv', rtmp)
    if (withoutSrt === false) overSrt = comesAndGoes(`${srt}?mode=listener`, 'mpegts', `${srt}?mode=caller`)
    // Each is looked at by the test of its own.
    void Promise.allSettled([overRtmp, overSrt])
  })
  afterAll(() => Promise.allSettled([overRtmp, overSrt]))

  testUnless(
    withoutRtmp,
    'takes it over RTMP, shows the slate when it goes, and takes it again',
    () => overRtmp,
    90_000,
  )
  testUnless(withoutSrt, 'takes it over SRT, shows the slate when it goes, and takes it again', () => overSrt, 90_000)
})
