import { kindOf, ticksPerSecond } from '../format.js'
import { trackIds, type InitSegments, type Track, type TrackName } from '../segment.js'
import {
  BoxReader,
  box,
  boxesIn,
  childrenOf,
  concatBytes,
  descend,
  fullBox,
  malformed,
  only,
  text,
  u16,
  u32,
  u8,
  type Box,
} from './boxes.js'

export interface VideoConfiguration {
  readonly width: number
  readonly height: number
  readonly avcC: Uint8Array
}

export interface AudioConfiguration {
  readonly sampleRate: number
  readonly channels: number
  readonly audioSpecificConfig: Uint8Array
}

export type TrackConfiguration = VideoConfiguration | AudioConfiguration

const isVideo = (configuration: TrackConfiguration): configuration is VideoConfiguration => 'avcC' in configuration

/** What a decoder must know before the first segment. */
export interface CodecConfiguration {
  readonly video: VideoConfiguration
  readonly audio: AudioConfiguration
  /** By track: those of further pictures and sounds. */
  readonly others: Readonly<Record<TrackName, TrackConfiguration>>
}

/** A track of the movie that ffmpeg writes. */
export interface SourceTrack {
  readonly name: TrackName
  readonly kind: Track
  readonly id: number
  readonly timescale: number
  readonly defaultDuration: number
  readonly defaultSize: number
  readonly defaultFlags: number
}

export interface SourceMovie {
  readonly tracks: ReadonlyArray<SourceTrack>
  readonly configuration: CodecConfiguration
}

/** Descriptor lengths are seven bits a byte (ISO/IEC 14496-1, 8.3.3). */
const descriptorLength = (reader: BoxReader): number => {
  let length = 0
  for (let index = 0; index < 4; index += 1) {
    const byte = reader.u8()
    length = (length << 7) | (byte & 0x7f)
    if ((byte & 0x80) === 0) return length
  }
  throw malformed('unexpected', 'a descriptor length in esds has no end')
}

const audioSpecificConfigIn = (bytes: Uint8Array, esds: Box): Uint8Array => {
  const reader = new BoxReader(bytes, esds)
  reader.versionAndFlags()
  if (reader.u8() !== 3) throw malformed('unexpected', 'esds does not begin with an ES descriptor')
  descriptorLength(reader)
  reader.skip(2)
  const flags = reader.u8()
  if ((flags & 0xe0) !== 0) throw malformed('unexpected', 'esds has ES descriptor options that ffmpeg never writes')
  if (reader.u8() !== 4) throw malformed('unexpected', 'esds holds no decoder configuration')
  descriptorLength(reader)
  reader.skip(13)
  if (reader.u8() !== 5) throw malformed('unexpected', 'esds holds no AudioSpecificConfig')
  const length = descriptorLength(reader)
  const start = reader.offset
  reader.skip(length)
  return bytes.slice(start, start + length)
}

const boxWithin = (bytes: Uint8Array, entry: Box, fixedBytes: number, type: string): Box => {
  if (entry.start + fixedBytes > entry.end) throw malformed('truncated', `sample entry ${entry.type} is too short`)
  return only(childrenOf(bytes, { ...entry, start: entry.start + fixedBytes }), type)
}

const sampleEntryOf = (bytes: Uint8Array, trak: Box): Box => {
  const stsd = descend(bytes, trak, 'mdia', 'minf', 'stbl', 'stsd')
  const [entry, ...others] = childrenOf(bytes, { ...stsd, start: stsd.start + 8 })
  if (entry === undefined || others.length > 0)
    throw malformed('unexpected', 'a track must have one sample description')
  return entry
}

const trackOf = (bytes: Uint8Array, trak: Box, defaults: ReadonlyMap<number, Box>): Omit<SourceTrack, 'name'> => {
  const tkhd = new BoxReader(bytes, descend(bytes, trak, 'tkhd'))
  tkhd.skip(tkhd.versionAndFlags().version === 1 ? 16 : 8)
  const id = tkhd.u32()
  const mdhd = new BoxReader(bytes, descend(bytes, trak, 'mdia', 'mdhd'))
  mdhd.skip(mdhd.versionAndFlags().version === 1 ? 16 : 8)
  const timescale = mdhd.u32()
  const hdlr = new BoxReader(bytes, descend(bytes, trak, 'mdia', 'hdlr'))
  hdlr.skip(8)
  const handler = hdlr.u32()
  const kind = handler === 0x76696465 ? 'video' : handler === 0x736f756e ? 'audio' : null
  if (kind === null) throw malformed('unexpected', 'the movie has a track that is neither video nor audio')
  const trex = defaults.get(id)
  if (trex === undefined) throw malformed('unexpected', `track ${id} has no trex box`)
  const reader = new BoxReader(bytes, trex)
  reader.skip(12)
  return {
    kind,
    id,
    timescale,
    defaultDuration: reader.u32(),
    defaultSize: reader.u32(),
    defaultFlags: reader.u32(),
  }
}

const videoIn = (bytes: Uint8Array, trak: Box): VideoConfiguration => {
  const avc1 = sampleEntryOf(bytes, trak)
  if (avc1.type !== 'avc1') throw malformed('unexpected', `expected avc1, found ${avc1.type}`)
  const visual = new BoxReader(bytes, avc1)
  visual.skip(24)
  const [width, height] = [visual.u16(), visual.u16()]
  const avcC = boxWithin(bytes, avc1, 78, 'avcC')
  return { width, height, avcC: bytes.slice(avcC.start, avcC.end) }
}

const audioIn = (bytes: Uint8Array, trak: Box): AudioConfiguration => {
  const mp4a = sampleEntryOf(bytes, trak)
  if (mp4a.type !== 'mp4a') throw malformed('unexpected', `expected mp4a, found ${mp4a.type}`)
  const sound = new BoxReader(bytes, mp4a)
  sound.skip(16)
  const channels = sound.u16()
  sound.skip(6)
  const sampleRate = sound.u16()
  return {
    sampleRate,
    channels,
    audioSpecificConfig: audioSpecificConfigIn(bytes, boxWithin(bytes, mp4a, 28, 'esds')),
  }
}

/** Picture size and decoder settings in an init segment of one video track. Throws MalformedMp4Error. */
export const readPicture = (init: Uint8Array): VideoConfiguration =>
  videoIn(init, descend(init, only(boxesIn(init, 0, init.length), 'moov'), 'trak'))

/**
 * Reads the moov that ffmpeg writes for H.264 pictures and AAC sounds. Throws MalformedMp4Error.
 * @param names of the tracks in their order: `video`, `audio`, then those of the further pictures and sounds
 */
export const readMovie = (
  bytes: Uint8Array,
  moov: Box,
  names: ReadonlyArray<TrackName> = ['video', 'audio'],
): SourceMovie => {
  const children = childrenOf(bytes, moov)
  const defaults = new Map<number, Box>()
  for (const trex of childrenOf(bytes, only(children, 'mvex')).filter(({ type }) => type === 'trex')) {
    const reader = new BoxReader(bytes, trex)
    reader.skip(4)
    defaults.set(reader.u32(), trex)
  }
  const traks = children.filter(({ type }) => type === 'trak')
  const read = traks.map((trak, index) => ({ trak, ...trackOf(bytes, trak, defaults), name: names[index] ?? '' }))
  if (read.length !== names.length || read.some(({ kind, name }) => kind !== kindOf(name))) {
    const found = read.map(({ kind }) => kind).join(', ')
    throw malformed('unexpected', `the movie must have the tracks ${names.join(', ')}, and has: ${found}`)
  }
  const configurationOf = (name: TrackName): TrackConfiguration => {
    const track = read.find((each) => each.name === name)
    if (track === undefined) throw malformed('unexpected', `the movie has no track ${name}`)
    return track.kind === 'video' ? videoIn(bytes, track.trak) : audioIn(bytes, track.trak)
  }
  const [video, audio] = [configurationOf('video'), configurationOf('audio')]
  if (!isVideo(video) || isVideo(audio)) throw malformed('unexpected', 'video and audio are mixed up')
  return {
    tracks: read.map(({ trak: _, ...track }) => track),
    configuration: {
      ...{ video, audio },
      others: Object.fromEntries(names.slice(2).map((name) => [name, configurationOf(name)])),
    },
  }
}

const unityMatrix = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

const trak = (
  id: number,
  timescale: number,
  handler: string,
  name: string,
  size: { readonly width: number; readonly height: number },
  volume: number,
  mediaHeader: Uint8Array,
  sampleEntry: Uint8Array,
): Uint8Array =>
  box(
    'trak',
    fullBox(
      'tkhd',
      0,
      3,
      u32(0, 0, id, 0, 0, 0, 0),
      u16(0, 0, volume, 0),
      unityMatrix,
      u32(size.width * 0x10000, size.height * 0x10000),
    ),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, u32(0, 0, timescale, 0), u16(0x55c4, 0)),
      fullBox('hdlr', 0, 0, u32(0), text(handler), u32(0, 0, 0), text(name), u8(0)),
      box(
        'minf',
        mediaHeader,
        box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1))),
        box(
          'stbl',
          fullBox('stsd', 0, 0, u32(1), sampleEntry),
          fullBox('stts', 0, 0, u32(0)),
          fullBox('stsc', 0, 0, u32(0)),
          fullBox('stsz', 0, 0, u32(0, 0)),
          fullBox('stco', 0, 0, u32(0)),
        ),
      ),
    ),
  )

const videoTrak = ({ width, height, avcC }: VideoConfiguration): Uint8Array =>
  trak(
    trackIds.video,
    ticksPerSecond,
    'vide',
    'video',
    { width, height },
    0,
    fullBox('vmhd', 0, 1, u16(0, 0, 0, 0)),
    box(
      'avc1',
      u16(0, 0, 0, 1),
      u32(0, 0, 0, 0),
      u16(width, height),
      u32(0x480000, 0x480000, 0),
      u16(1),
      new Uint8Array(32),
      u16(24, 0xffff),
      box('avcC', avcC),
    ),
  )

const descriptor = (tag: number, ...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const payload = concatBytes(parts)
  return concatBytes([u8(tag, payload.length), payload])
}

const audioTrak = ({ sampleRate, channels, audioSpecificConfig }: AudioConfiguration): Uint8Array =>
  trak(
    trackIds.audio,
    sampleRate,
    'soun',
    'audio',
    { width: 0, height: 0 },
    0x100,
    fullBox('smhd', 0, 0, u16(0, 0)),
    box(
      'mp4a',
      u16(0, 0, 0, 1),
      u32(0, 0),
      u16(channels, 16, 0, 0, sampleRate, 0),
      // 0x40: MPEG-4 audio; 0x15: audio stream. Bit rates are left at zero, because measured ones differ between servers.
      fullBox(
        'esds',
        0,
        0,
        descriptor(
          3,
          u16(trackIds.audio),
          u8(0),
          descriptor(4, u8(0x40, 0x15, 0, 0, 0), u32(0, 0), descriptor(5, audioSpecificConfig)),
          descriptor(6, u8(2)),
        ),
      ),
    ),
  )

const movie = (traks: ReadonlyArray<Uint8Array>, ids: ReadonlyArray<number>): Uint8Array =>
  concatBytes([
    box('ftyp', text('iso6'), u32(1), text('iso6'), text('cmfc'), text('mp41')),
    box(
      'moov',
      fullBox(
        'mvhd',
        0,
        0,
        u32(0, 0, 1000, 0, 0x10000),
        u16(0x100, 0),
        u32(0, 0),
        unityMatrix,
        u32(0, 0, 0, 0, 0, 0, 3),
      ),
      ...traks,
      box('mvex', ...ids.map((id) => fullBox('trex', 0, 0, u32(id, 1, 0, 0, 0)))),
    ),
  ])

/** The init segments of a stream. Equal configurations give equal bytes on every server. */
export const writeInitSegments = ({ video, audio, others }: CodecConfiguration): InitSegments => {
  const single = (configuration: TrackConfiguration): Uint8Array =>
    isVideo(configuration)
      ? movie([videoTrak(configuration)], [trackIds.video])
      : movie([audioTrak(configuration)], [trackIds.audio])
  return {
    video: single(video),
    audio: single(audio),
    combined: movie([videoTrak(video), audioTrak(audio)], [trackIds.video, trackIds.audio]),
    others: Object.fromEntries(Object.entries(others).map(([name, each]) => [name, single(each)])),
  }
}

const hex = (byte: number | undefined): string => (byte ?? 0).toString(16).padStart(2, '0')

/** RFC 6381 name for playlists, as avc1.42c01e. */
export const videoCodec = ({ avcC }: VideoConfiguration): string => `avc1.${hex(avcC[1])}${hex(avcC[2])}${hex(avcC[3])}`

/** The same of sound, as mp4a.40.2. */
export const audioCodec = ({ audioSpecificConfig }: AudioConfiguration): string =>
  `mp4a.40.${(audioSpecificConfig[0] ?? 16) >> 3}`
