import * as E from 'fp-ts/lib/Either.js'
import { FeedBlocks } from '../feed/blocks.js'
import { firstCounters } from '../feed/block.js'
import { connectFeed, feedAgent, type FeedConnection, type FeedRequest } from '../feed/connection.js'
import { advancePosition, parsePosition } from '../feed/handler.js'
import { pause } from '../feed/pause.js'
import { FeedRing } from '../feed/ring.js'
import type { FeedBlock } from '../feed/block.js'
import { soundCount, type MediaTicks, type StreamFormat } from '../format.js'
import type { FeedPlace } from './contribution.js'

export interface MirrorOptions {
  readonly format: StreamFormat
  readonly stream: string
  /** Base address of the ingest that has the feed on air. */
  readonly feedUrl: string
  /** How long it may give nothing before it counts as lost. */
  readonly silenceMsMax: number
  readonly keepMs?: number
  /** Called with each block before anybody can read it. */
  readonly beforeReadable: (block: FeedBlock) => void
  /** The feed is here, under the positions that it has there. Called again when it has begun anew there. */
  readonly onFeed: (feed: MirroredFeed) => void
  /** It has given nothing for `silenceMsMax`; called again and again until it comes back or the mirror is closed. */
  readonly onLost: (reason: string) => void
}

/** A feed as it is given out elsewhere, byte for byte. */
export interface MirroredFeed {
  readonly ring: FeedRing
  readonly incarnation: string
  /** Position of its first byte. */
  readonly position: number
}

/** How much of the feed is fetched when it is new: what the other one still has. */
const backMs = 30_000
const pauseMs = 100
/** An ingest hands frames on in portions; what is older than this is no longer live. */
const freshMsMax = 200

/** Keeps a copy of the feed of another ingest, for its readers and to go on with. */
export class FeedMirror {
  readonly #options: MirrorOptions
  readonly #dispatcher
  readonly #abort = new AbortController()
  readonly #done: Promise<void>
  #feed: MirroredFeed | null = null
  #blocks: FeedBlocks | null = null
  #place: FeedPlace | null = null
  /** Position up to which bytes were read, among them those of a block that is not whole yet. */
  #taken = 0
  #heardMs = performance.now()

  constructor(options: MirrorOptions) {
    this.#options = options
    this.#dispatcher = feedAgent(options.silenceMsMax)
    this.#done = this.#run()
  }

  /** Where the copy ends, to go on there; null while there is none. */
  get place(): FeedPlace | null {
    return this.#place
  }

  get feed(): MirroredFeed | null {
    return this.#feed
  }

  /** End of its newest frame; null when nothing has come for a moment. */
  get liveTicks(): MediaTicks | null {
    return performance.now() - this.#heardMs < freshMsMax ? (this.#feed?.ring.liveTicks ?? null) : null
  }

  /** It has given nothing for as long as it may. */
  isLost(): boolean {
    return performance.now() - this.#heardMs >= this.#options.silenceMsMax
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#done
    await this.#dispatcher.destroy()
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort
    const { feedUrl, stream, onLost } = this.#options
    let request: FeedRequest = { backMs }
    while (!signal.aborted) {
      const connection = await connectFeed(feedUrl, stream, request, this.#dispatcher, signal)
      let reason = ''
      if (E.isRight(connection)) {
        this.#adopt(connection.right)
        const { bytes, why } = await this.#read(connection.right)
        request = { after: advancePosition(connection.right.position, bytes) }
        reason = why
      } else {
        reason = connection.left.message
        if (connection.left._tag === 'FeedGone') request = { backMs }
      }
      if (signal.aborted) return
      if (this.isLost()) onLost(reason)
      await pause(pauseMs, signal)
    }
  }

  /** Goes on with the copy when the feed does; else begins it anew. */
  #adopt({ position, startTicks }: FeedConnection): void {
    const { format, keepMs, beforeReadable, onFeed } = this.#options
    const { incarnation, offset } = parsePosition(position)
    const present = this.#feed
    if (present !== null && present.incarnation === incarnation && this.#taken === offset) return
    const ring = new FeedRing({ ...(keepMs === undefined ? {} : { keepMs }), beforeReadable })
    ring.restore([], offset)
    this.#blocks = new FeedBlocks(format, startTicks)
    this.#feed = { ring, incarnation, position: offset }
    this.#taken = offset
    this.#place = null
    onFeed(this.#feed)
  }

  #read({ body }: FeedConnection): Promise<{ readonly bytes: number; readonly why: string }> {
    const { signal } = this.#abort
    let bytes = 0
    return new Promise((resolve) => {
      const end = (why: string): void => {
        signal.removeEventListener('abort', stop)
        body.destroy()
        resolve({ bytes, why })
      }
      const stop = (): void => end('closed')
      signal.addEventListener('abort', stop)
      body.on('end', () => end('the feed ended the connection'))
      body.on('error', (error: Error) => end(error.message))
      body.on('data', (chunk: Uint8Array) => {
        if (signal.aborted) return
        bytes += chunk.length
        this.#taken += chunk.length
        this.#heardMs = performance.now()
        for (const block of this.#blocks?.push(chunk) ?? []) this.#take(block)
      })
      if (signal.aborted) stop()
    })
  }

  #take(block: FeedBlock): void {
    this.#feed?.ring.append(block)
    const sounds = soundCount(this.#options.format)
    const before = this.#place ?? {
      videoTicks: block.endTicks,
      soundTicks: new Array<number>(sounds).fill(block.endTicks),
      counters: firstCounters(sounds),
    }
    const { track, sound, endTicks, counters } = block
    this.#place =
      track === 'video'
        ? { ...before, videoTicks: endTicks, counters }
        : { ...before, soundTicks: before.soundTicks.with(sound, endTicks), counters }
  }
}
