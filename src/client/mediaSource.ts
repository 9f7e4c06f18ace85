/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import type { PlayedSegment, SessionEvents } from './events.js'
import type { ViewerSession } from './session.js'

/** Seconds of media kept behind the playing position. */
const keepBehindS = 20
/** The position is pulled back to the intended latency when it is off by more than this. */
const driftS = 1.5

/**
 * Plays a viewer session in a video element through Media Source Extensions. What the browser cannot play ends the
 * session, with the reason.
 */
export function playInto(video: HTMLVideoElement, session: ViewerSession, latencyS: number): void {
  const fail = (cause: unknown): void =>
    session.stop(`the browser cannot play it: ${cause instanceof Error ? cause.message : String(cause)}`)
  const opened = openSource(video)
  // Told when there is something to play.
  opened.catch(() => undefined)
  let tracks: { readonly video: TrackQueue; readonly audio: TrackQueue; readonly segmentS: number } | null = null
  let offsetS: number | null = null
  let begun = false

  session.on('ready', (ready) => {
    opened
      .then((source) => {
        tracks = openTracks(source, ready, fail)
      })
      .catch(fail)
  })
  session.on('segment', (segment) => {
    opened
      .then(() => {
        if (tracks === null) return
        const startS = segment.number * tracks.segmentS
        offsetS ??= startS
        append(tracks, segment, -offsetS)
        const edgeS = startS - offsetS + tracks.segmentS
        if (begun) return keepUp(video, edgeS, latencyS)
        begun = edgeS > 0.5
        // From then on it is the viewer who begins and pauses.
        if (begun) void video.play().catch(() => undefined)
      })
      .catch(fail)
  })
}

/** iPhones have nothing but the managed one, which wants remote playback off. */
async function openSource(video: HTMLVideoElement): Promise<MediaSource> {
  const { MediaSource: Plain, ManagedMediaSource: Managed } = globalThis as {
    readonly MediaSource?: typeof MediaSource
    readonly ManagedMediaSource?: typeof MediaSource
  }
  const Source = Plain ?? Managed
  if (Source === undefined) throw new Error('it has no Media Source Extensions')
  if (Plain === undefined) video.disableRemotePlayback = true
  const source = new Source()
  const opened = new Promise<MediaSource>((resolve) => {
    source.addEventListener('sourceopen', () => resolve(source), { once: true })
  })
  video.src = URL.createObjectURL(source)
  return opened
}

function openTracks(source: MediaSource, { init, format }: SessionEvents['ready'], fail: (cause: unknown) => void) {
  const segmentS = format.segmentTicks / 90_000
  const video = new TrackQueue(source.addSourceBuffer(`video/mp4; codecs="${avcCodec(init.video)}"`), fail)
  const audio = new TrackQueue(source.addSourceBuffer('audio/mp4; codecs="mp4a.40.2"'), fail)
  video.push(init.video, 0)
  audio.push(init.audio, 0)
  return { video, audio, segmentS }
}

function append(tracks: { video: TrackQueue; audio: TrackQueue }, segment: PlayedSegment, offsetS: number): void {
  tracks.video.push(segment.video, offsetS)
  tracks.audio.push(segment.audio, offsetS)
}

/** A picture that the viewer has paused stays where it is; it is near live again with the first segment afterwards. */
function keepUp(video: HTMLVideoElement, edgeS: number, latencyS: number): void {
  if (video.paused) return
  const wanted = Math.max(0, edgeS - latencyS)
  if (Math.abs(video.currentTime - wanted) > driftS) video.currentTime = wanted
}

/** Appends one thing after the other, as a SourceBuffer demands, and forgets what was played long ago. */
class TrackQueue {
  readonly #buffer: SourceBuffer
  readonly #waiting: { readonly bytes: Uint8Array; readonly offsetS: number }[] = []

  constructor(
    buffer: SourceBuffer,
    private readonly fail: (cause: unknown) => void,
  ) {
    this.#buffer = buffer
    buffer.addEventListener('updateend', () => this.#next())
    buffer.addEventListener('error', () => fail('its decoder refused a segment'))
  }

  push(bytes: Uint8Array, offsetS: number): void {
    this.#waiting.push({ bytes, offsetS })
    this.#next()
  }

  #next(): void {
    try {
      this.#append()
    } catch (cause) {
      this.#waiting.length = 0
      this.fail(cause)
    }
  }

  #append(): void {
    if (this.#buffer.updating) return
    const next = this.#waiting.shift()
    if (next === undefined) return this.#forget()
    this.#buffer.timestampOffset = next.offsetS
    this.#buffer.appendBuffer(new Uint8Array(next.bytes))
  }

  #forget(): void {
    const { buffered } = this.#buffer
    if (buffered.length === 0) return
    const start = buffered.start(0)
    const end = buffered.end(buffered.length - 1)
    if (end - start > 2 * keepBehindS) this.#buffer.remove(start, end - keepBehindS)
  }
}

/** RFC 6381 codec string from the avcC box of an init segment. */
function avcCodec(init: Uint8Array): string {
  const name = [0x61, 0x76, 0x63, 0x43]
  const at = init.findIndex((_, index) => name.every((byte, offset) => init[index + offset] === byte))
  const hex = (offset: number): string => (init[at + offset] ?? 0).toString(16).padStart(2, '0')
  return at < 0 ? 'avc1.42c01e' : `avc1.${hex(5)}${hex(6)}${hex(7)}`
}
