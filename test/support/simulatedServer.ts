import type { HttpAnswer, NoticeChannelHandlers } from '../../src/client/index.js'
import type { Manifest, ViewerMessage } from '../../src/messaging/codecs.js'
import { audioInit, combinedInit, segmentBytes, segmentMs, segmentTicks, sha256, videoInit } from './madeUpStream.js'
import type { ViewerWorld } from './viewerWorld.js'

const json = (status: number, body: unknown): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: new TextEncoder().encode(JSON.stringify(body)),
})

const text = (body: string): HttpAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/vnd.apple.mpegurl' },
  body: new TextEncoder().encode(body),
})

export type Mode = 'up' | 'refused' | 'hung'

export interface Line {
  readonly handlers: NoticeChannelHandlers
  open: boolean
  closed: boolean
  /** Whose it is, once it has said so. */
  session: string | null
}

/** A media server: what it does can be changed at any time, also for requests that are under way. */
export class SimulatedServer {
  readonly url: string
  /** From the end of a segment until it can be had here. */
  delayMs = 130
  /** Every answer takes this long, both ways together. */
  rttMs = 2
  keeps = 24
  epoch: number | null = null
  fencedFrom: number | null = null
  unconfirmed = false
  /** The body is not what the ETag says. */
  corrupt: boolean | ((bytes: Uint8Array) => Uint8Array) = false
  /** The bytes are others than everybody else's, and the ETag says so. */
  variant = ''
  /** The encoder stands still: no number after this one. */
  liveMax = Infinity
  /** Numbers that do not exist here. */
  readonly missing = new Set<number>()
  readonly received: ViewerMessage[] = []
  readonly asked: Array<{ readonly path: string; readonly atMs: number }> = []
  lines: Line[] = []
  #mode: Mode = 'up'

  constructor(
    readonly id: string,
    private readonly world: ViewerWorld,
  ) {
    this.url = `http://${id}.test`
  }

  get mode(): Mode {
    return this.#mode
  }

  set mode(mode: Mode) {
    this.#mode = mode
    if (mode === 'refused') {
      for (const line of this.lines) this.world.closeLine(line)
      this.lines = []
    }
    this.world.reconsider(this)
  }

  live(): number {
    const byTime = Math.floor((this.world.ingestNow() - this.delayMs) / segmentMs) - 1
    return Math.min(this.liveMax, byTime)
  }

  segmentsAsked(): ReadonlyArray<number> {
    return this.asked.flatMap(({ path }) => (path.endsWith('.m4s') ? [Number(/(\d+)\.m4s$/.exec(path)?.[1])] : []))
  }

  /** An answer now, or null when it has to wait. */
  answer(path: string): HttpAnswer | null {
    const live = this.live()
    const base = `/streams/${this.world.stream}`
    if (path === '/readyz') return json(200, {})
    if (path === `${base}/session`) return json(200, this.world.sessionDocument())
    if (path === `${base}/manifest.json`) return json(200, this.#manifest(live))
    if (path === `${base}/init.mp4`) return { status: 200, headers: {}, body: combinedInit }
    if (path === `${base}/video/init.mp4` || path === `${base}/v180/init.mp4`)
      return { status: 200, headers: {}, body: videoInit }
    if (path === `${base}/audio/init.mp4`) return { status: 200, headers: {}, body: audioInit }
    if (path === `${base}/main.m3u8?steering=none`) return text('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo.m3u8\n')
    const playlist = /\/(?:video|audio)\.m3u8(?:\?_HLS_msn=(\d+))?$/.exec(path)
    if (playlist) return this.#playlist(live, Number(playlist[1] ?? 0))
    const match = /\/(video|audio|v180)\/(\d+)\.m4s$/.exec(path)
    if (match === null) return json(404, {})
    const variant = match[1] === 'v180' ? `small ${this.variant}` : this.variant
    return this.#segment(match[1] === 'audio' ? 'audio' : 'video', variant, Number(match[2]), live)
  }

  /** As a real server does: waits for the number, and answers all the same when it is fenced. */
  #playlist(live: number, wanted: number): HttpAnswer | null {
    const last = Math.min(live, (this.fencedFrom ?? Infinity) - 1)
    if (this.fencedFrom !== null && wanted >= this.fencedFrom) return json(421, { error: 'fenced' })
    if (wanted > live) return null
    const numbers = Array.from({ length: this.keeps }, (_, i) => last - this.keeps + 1 + i)
    const lines = numbers.map((number) => `#EXTINF:0.32000,\nvideo/${number}.m4s`)
    return text(`#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${numbers[0]}\n${lines.join('\n')}\n`)
  }

  #segment(track: 'video' | 'audio', variant: string, number: number, live: number): HttpAnswer | null {
    if (this.fencedFrom !== null && number >= this.fencedFrom) {
      return json(421, { error: 'fenced', epoch: this.world.route.epoch, primary: this.world.route.primary })
    }
    if (this.unconfirmed) return json(503, { error: 'authority-unconfirmed' })
    if (number > live + 4) return json(404, { error: 'not-yet' })
    if (number > live) return null
    if (number <= live - this.keeps || this.missing.has(number)) return json(404, { error: 'gone' })
    const bytes = segmentBytes(number, track, variant)
    const headers = {
      etag: `"${sha256(bytes)}"`,
      ...(this.epoch === null ? {} : { 'segue-epoch': String(this.epoch) }),
    }
    return {
      status: 200,
      headers,
      body: this.#damaged(bytes),
    }
  }

  #damaged(bytes: Uint8Array): Uint8Array {
    if (this.corrupt === false) return bytes
    if (this.corrupt !== true) return this.corrupt(bytes)
    return bytes.map((b, i) => (i === bytes.length - 1 ? b ^ 1 : b))
  }

  #manifest(live: number): Manifest {
    const numbers = Array.from({ length: this.keeps }, (_, i) => live - this.keeps + 1 + i)
    return {
      stream: this.world.stream,
      server: this.id,
      role: 'primary',
      epoch: this.epoch,
      segmentTicks,
      live,
      oldest: live - this.keeps + 1,
      encoding: true,
      init: null,
      segments: numbers
        .filter((number) => !this.missing.has(number))
        .map((number) => {
          const video = segmentBytes(number, 'video', this.variant)
          const audio = segmentBytes(number, 'audio', this.variant)
          return {
            number,
            video: { sha256: sha256(video), bytes: video.length },
            audio: { sha256: sha256(audio), bytes: audio.length },
            others: {},
            origin: 'encoded',
            verified: true,
          }
        }),
    }
  }
}
