import * as E from 'fp-ts/lib/Either.js'
import type { Agent } from 'undici'
import { advancePosition } from '../feed/handler.js'
import { pause } from '../feed/pause.js'
import { runFfmpeg, type FfmpegProcess } from '../ffmpeg/process.js'
import { msOfTicks, type MediaTicks, type StreamFormat } from '../format.js'
import { Fmp4Splitter, type SplitterEvent } from '../fmp4/splitter.js'
import { encoderRun } from './arguments.js'
import { connectFeed, type FeedConnection, type FeedRequest } from '../feed/connection.js'
import type { FeedAddresses } from './addresses.js'
import { LiveLine } from '../feed/liveLine.js'
import { FeedRetimer } from './retimer.js'

export interface EncoderRunOptions {
  readonly format: StreamFormat
  readonly addresses: FeedAddresses
  readonly stream: string
  readonly start: FeedRequest
  readonly dispatcher: Agent
  /** How long ffmpeg may refuse input before it counts as stuck. */
  readonly stuckMsMax: number
  readonly nowMs: () => number
  /** A feed whose live edge is before this gives numbers that were given out long ago. */
  readonly liveTicksMin: () => MediaTicks
  readonly onEvent: (event: SplitterEvent) => void
  readonly onFeedLost: (reason: string) => void
}

/** Why a run is over. */
export interface EncoderRunEnd {
  readonly _tag:
    | 'Stopped'
    | 'FfmpegMissing'
    | 'FfmpegFailed'
    | 'FfmpegStuck'
    | 'FeedGone'
    | 'FeedRefused'
    | 'FeedBehind'
    | 'BadOutput'
  readonly message: string
}

/** ffmpeg needs some 50 ms to finish; a busy machine much longer. */
const ebbMsMax = 1_000
/** An ingest that was started again is to find its encoders waiting. */
const reconnectDelaysMs: ReadonlyArray<number> = [0, 50, 100, 250]

/** One ffmpeg and the feed that it reads; the feed may break and continue at the same byte, ffmpeg may not. */
export class EncoderRun {
  readonly ended: Promise<EncoderRunEnd>
  readonly #options: EncoderRunOptions
  readonly #ffmpeg: FfmpegProcess
  readonly #abort = new AbortController()
  #finish: (end: EncoderRunEnd) => void = () => undefined
  #line: LiveLine | null = null
  #retimer: FeedRetimer | null = null
  #ending: EncoderRunEnd | null = null
  /** What it is reading, and how to leave that. */
  #reading: { readonly feedUrl: string; readonly leave: () => void } | null = null

  constructor(options: EncoderRunOptions) {
    this.#options = options
    this.ended = new Promise((resolve) => {
      this.#finish = (end) => {
        this.#abort.abort()
        resolve(end)
      }
    })
    // ffmpeg starts while the feed is being asked, which saves its own start-up time.
    this.#ffmpeg = runFfmpeg(encoderRun(options.format))
    void this.#ffmpeg.exited.then(({ _tag, message }) =>
      this.#finish(this.#ending ?? { _tag: _tag === 'FfmpegMissing' ? _tag : 'FfmpegFailed', message }),
    )
    void this.#feed()
  }

  get pid(): number | undefined {
    return this.#ffmpeg.pid()
  }

  /** Media time that ffmpeg has been given since the start of the run, or of a later instant. */
  givenTicksSince(ticks: number): number {
    const retimer = this.#retimer
    return retimer === null ? 0 : retimer.videoTicks - Math.max(ticks, retimer.startTicks)
  }

  /** How late an instant of media is against the feed's live edge; null before the feed has answered. */
  latenessMs(ticks: number): number | null {
    return this.#line?.latenessMs(this.#options.nowMs(), ticks) ?? null
  }

  /** Goes on reading at the address that is the right one now. */
  moved(): void {
    if (this.#reading !== null && this.#reading.feedUrl !== this.#options.addresses.present) this.#reading.leave()
  }

  async stop(): Promise<void> {
    this.#finish({ _tag: 'Stopped', message: 'stopped' })
    await this.#ffmpeg.stop()
  }

  async #connect(
    start: FeedRequest,
  ): Promise<{ readonly connection: FeedConnection; readonly feedUrl: string } | null> {
    const { addresses, stream, dispatcher, onFeedLost } = this.#options
    for (let attempt = 0; !this.#abort.signal.aborted; attempt += 1) {
      const feedUrl = addresses.present
      const connection = await connectFeed(feedUrl, stream, start, dispatcher, this.#abort.signal)
      if (E.isRight(connection)) {
        addresses.learn(feedUrl, connection.right.partnerUrl)
        return { connection: connection.right, feedUrl }
      }
      const { _tag, message } = connection.left
      addresses.failed(feedUrl)
      if (_tag !== 'FeedUnavailable') {
        await this.#ebb({ _tag, message })
        return null
      }
      if (attempt === 1) onFeedLost(message)
      const delay = reconnectDelaysMs[Math.min(attempt, reconnectDelaysMs.length - 1)] ?? 250
      await pause(delay, this.#abort.signal)
    }
    return null
  }

  /** The feed does not go on: what ffmpeg has been given still comes out, or the newest number would be lost with it. */
  async #ebb(end: EncoderRunEnd): Promise<void> {
    this.#ending = end
    this.#ffmpeg.stdin.end()
    await pause(ebbMsMax, this.#abort.signal)
    this.#finish(end)
  }

  async #feed(): Promise<void> {
    let request = this.#options.start
    while (!this.#abort.signal.aborted) {
      const found = await this.#connect(request)
      if (found === null) return
      const behindMs = msOfTicks(this.#options.liveTicksMin() - found.connection.liveTicks)
      if (behindMs > 0) {
        found.connection.body.destroy()
        return this.#ebb({ _tag: 'FeedBehind', message: behindText(found.feedUrl, behindMs) })
      }
      const read = await this.#read(found)
      if (this.#abort.signal.aborted) return
      this.#options.onFeedLost(read.reason)
      request = { after: advancePosition(found.connection.position, read.bytes) }
    }
  }

  #begin(connection: Omit<FeedConnection, 'body'>): FeedRetimer {
    const { format, nowMs, onEvent } = this.#options
    this.#line = new LiveLine(nowMs(), connection.liveTicks)
    const retimer = new FeedRetimer(format, connection.startTicks)
    const splitter = new Fmp4Splitter(format, retimer.baseTicks)
    this.#ffmpeg.stdout.onData((chunk) => {
      if (this.#abort.signal.aborted) return
      for (const event of splitter.push(chunk)) {
        onEvent(event)
        if (event.type === 'malformed') this.#finish({ _tag: 'BadOutput', message: event.error.message })
      }
    })
    this.#retimer = retimer
    return retimer
  }

  /** Reads until the connection breaks. `bytes` counts what was taken over, to the byte. */
  #read({
    connection: { body, ...connection },
    feedUrl,
  }: {
    readonly connection: FeedConnection
    readonly feedUrl: string
  }): Promise<{ readonly bytes: number; readonly reason: string }> {
    const retimer = this.#retimer ?? this.#begin(connection)
    const { signal } = this.#abort
    let bytes = 0
    let isOver = false
    return new Promise((resolve) => {
      const end = (reason: string): void => {
        if (isOver) return
        isOver = true
        signal.removeEventListener('abort', stop)
        this.#reading = null
        body.destroy()
        resolve({ bytes, reason })
      }
      const stop = (): void => end('stopped')
      this.#reading = { feedUrl, leave: () => end('the feed has moved') }
      signal.addEventListener('abort', stop)
      body.on('end', () => end('the feed ended the connection'))
      body.on('error', (error: Error) => end(error.message))
      body.on('data', (chunk: Uint8Array) => {
        if (signal.aborted || isOver) return
        bytes += chunk.length
        const accepted = this.#ffmpeg.stdin.write(retimer.push(chunk))
        this.#line?.arrived(this.#options.nowMs(), retimer.videoTicks)
        if (accepted) return
        body.pause()
        void this.#drained().then(() => body.resume())
      })
      if (signal.aborted) stop()
    })
  }

  async #drained(): Promise<void> {
    const { stuckMsMax } = this.#options
    const stuck = setTimeout(
      () => this.#finish({ _tag: 'FfmpegStuck', message: `ffmpeg took no input for ${stuckMsMax} ms` }),
      stuckMsMax,
    )
    await this.#ffmpeg.stdin.drained(this.#abort.signal)
    clearTimeout(stuck)
  }
}

const behindText = (feedUrl: string, behindMs: number): string =>
  `the feed at ${feedUrl} is more than ${Math.ceil(behindMs / 1_000)} s behind the numbers that were given out: the clock of its ingest was set back, or is another one; set it right, or wait as long`
