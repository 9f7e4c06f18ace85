import { kindOf, ticksPerSecond, trackNames, type MediaTicks, type StreamFormat } from '../format.js'
import type { InitSegments, TrackName } from '../segment.js'
import { SegmentAssembler, type AssemblerEvent } from './assembler.js'
import { MalformedMp4Error, boxesIn, concatBytes, malformed, readBoxHeader, type MalformedMp4 } from './boxes.js'
import { readFragment } from './fragment.js'
import { readMovie, writeInitSegments, type CodecConfiguration, type SourceMovie, type SourceTrack } from './init.js'

export type SplitterEvent =
  | { readonly type: 'init'; readonly init: InitSegments; readonly configuration: CodecConfiguration }
  | AssemblerEvent
  /** The bytes are no longer understood; nothing follows. */
  | { readonly type: 'malformed'; readonly error: MalformedMp4 }

/** Largest box that is waited for: far more than a frame. */
const boxBytesMax = 16 * 1024 * 1024
const wrapTicks = 2 ** 33

/**
 * Cuts ffmpeg's fragmented MP4 (one fragment per frame, all tracks on one pipe) into Segue's segments, incrementally:
 * give it the bytes as they come, take the events. Times in the pipe plus `baseTicks` are absolute.
 * @param baseTicks added to every time; a multiple of 15, so that it is whole in the audio clock too.
 */
export class Fmp4Splitter {
  readonly #format: StreamFormat
  readonly #baseTicks: MediaTicks
  readonly #names: ReadonlyArray<TrackName>
  readonly #tracks: ReadonlyMap<TrackName, TrackState>
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #wantedBytes = 8
  #movie: SourceMovie | null = null
  #moof: Uint8Array | null = null
  #broken = false

  constructor(format: StreamFormat, baseTicks: MediaTicks) {
    this.#format = format
    this.#baseTicks = baseTicks
    this.#names = trackNames(format)
    const stateOf = (name: TrackName): TrackState => ({
      assembler: new SegmentAssembler(kindOf(name), format, name),
      lastTicks: 0,
      wrapOffset: 0,
    })
    this.#tracks = new Map(this.#names.map((name) => [name, stateOf(name)]))
  }

  push(chunk: Uint8Array): ReadonlyArray<SplitterEvent> {
    if (this.#broken || chunk.length === 0) return []
    this.#pending.push(chunk)
    this.#pendingBytes += chunk.length
    if (this.#pendingBytes < this.#wantedBytes) return []
    const events: SplitterEvent[] = []
    try {
      this.#drain(events)
    } catch (error) {
      if (!(error instanceof MalformedMp4Error)) throw error
      this.#broken = true
      this.#pending = []
      events.push({ type: 'malformed', error: error.detail })
    }
    return events
  }

  #drain(events: SplitterEvent[]): void {
    const bytes = this.#pending.length === 1 ? (this.#pending[0] ?? new Uint8Array()) : concatBytes(this.#pending)
    let offset = 0
    this.#wantedBytes = 8
    for (;;) {
      const header = readBoxHeader(bytes, offset, bytes.length)
      if (header === null) {
        this.#wantedBytes = bytes.length - offset < 8 ? 8 : 16
        break
      }
      if (header.sizeBytes > boxBytesMax) {
        throw malformed('oversized', `box ${JSON.stringify(header.type)} claims ${header.sizeBytes} bytes`)
      }
      if (offset + header.sizeBytes > bytes.length) {
        this.#wantedBytes = header.sizeBytes
        break
      }
      this.#box(header.type, bytes.subarray(offset, offset + header.sizeBytes), events)
      offset += header.sizeBytes
    }
    const rest = bytes.subarray(offset)
    this.#pending = rest.length === 0 ? [] : [rest]
    this.#pendingBytes = rest.length
  }

  #box(type: string, bytes: Uint8Array, events: SplitterEvent[]): void {
    if (type === 'moov') this.#onMovie(bytes, events)
    else if (type === 'moof') this.#moof = bytes
    else if (type === 'mdat') this.#onData(bytes, events)
    else if (!['ftyp', 'styp', 'sidx', 'free', 'mfra', 'prft'].includes(type)) {
      throw malformed('unexpected', `box ${JSON.stringify(type)} has no place in a fragmented movie`)
    }
  }

  #onMovie(bytes: Uint8Array, events: SplitterEvent[]): void {
    const [moov] = boxesIn(bytes, 0, bytes.length)
    if (moov === undefined || this.#movie !== null) throw malformed('unexpected', 'a second moov box')
    const movie = readMovie(bytes, moov, this.#names)
    for (const { name, kind, timescale } of movie.tracks) {
      const wanted = kind === 'video' ? ticksPerSecond : this.#format.sampleRate
      if (timescale !== wanted)
        throw malformed('unexpected', `the clock of ${name} is ${timescale} Hz, not ${wanted} Hz`)
    }
    this.#movie = movie
    const { configuration } = movie
    events.push({ type: 'init', init: writeInitSegments(configuration), configuration })
  }

  #onData(mdat: Uint8Array, events: SplitterEvent[]): void {
    const movie = this.#movie
    if (movie === null || this.#moof === null)
      throw malformed('unexpected', 'an mdat box without moov and moof before it')
    const bytes = concatBytes([this.#moof, mdat])
    this.#moof = null
    const [moof] = boxesIn(bytes, 0, bytes.length)
    if (moof === undefined) return
    const { tracks } = readFragment(bytes, moof, (id) => movie.tracks.find((track) => track.id === id))
    for (const { trackId, decodeTime, samples } of tracks) {
      const track = movie.tracks.find(({ id }) => id === trackId)
      if (track === undefined) throw malformed('unexpected', `a fragment of track ${trackId}, which the movie lacks`)
      const state = this.#tracks.get(track.name)
      if (state === undefined) continue
      let clock = decodeTime
      for (const sample of samples) {
        if (sample.start < moof.end + 8 || sample.start + sample.size > bytes.length) {
          throw malformed('truncated', 'a sample lies outside its mdat box')
        }
        if (sample.compositionOffset !== 0) throw malformed('unexpected', 'reordered frames; none are expected')
        const ticks = unwrapped(state, track, clock) + this.#baseTicks
        const frame = { ticks, sync: sample.sync, bytes: bytes.subarray(sample.start, sample.start + sample.size) }
        events.push(...state.assembler.push(frame))
        clock += sample.duration
      }
    }
  }
}

interface TrackState {
  readonly assembler: SegmentAssembler
  lastTicks: number
  wrapOffset: number
}

/** Clocks of 33 bits (MPEG-TS) jump back by 2^33 ticks every 26.5 hours. */
const unwrapped = (state: TrackState, { timescale }: SourceTrack, clock: number): MediaTicks => {
  const ticks = Math.round((clock * ticksPerSecond) / timescale)
  if (ticks + state.wrapOffset < state.lastTicks - wrapTicks / 2) state.wrapOffset += wrapTicks
  const found = ticks + state.wrapOffset
  state.lastTicks = Math.max(state.lastTicks, found)
  return found
}
