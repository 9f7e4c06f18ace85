/** The program tables of a feed: one program, H.264 on one PID, AAC (ADTS) on those that follow. */
import { packetBytes, payloadStart, setContinuity, startsUnit } from './packet.js'
import type { Track } from '../../segment.js'

export const pids: Readonly<Record<Track | 'pat' | 'pmt', number>> = { pat: 0, pmt: 0x1000, video: 0x100, audio: 0x101 }
/** Of a sound track, counted from 0. */
export const soundPid = (sound: number): number => pids.audio + sound
export const streamTypes: Readonly<Record<Track, number>> = { video: 0x1b, audio: 0x0f }

/** CRC-32/MPEG-2 (ISO/IEC 13818-1, annex A). */
const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const value of bytes) {
    crc ^= value << 24
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80000000) !== 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  return crc >>> 0
}

const packetOf = (pid: number, section: ReadonlyArray<number>): Uint8Array => {
  const crc = crc32(Uint8Array.from(section))
  const packet = new Uint8Array(packetBytes).fill(0xff)
  packet.set([0x47, 0x40 | (pid >> 8), pid & 0xff, 0x10, 0, ...section])
  packet.set([crc >>> 24, (crc >>> 16) & 0xff, (crc >>> 8) & 0xff, crc & 0xff], 5 + section.length)
  return packet
}

const pidBytes = (pid: number): ReadonlyArray<number> => [0xe0 | (pid >> 8), pid & 0xff]
const streamEntry = (type: number, pid: number): ReadonlyArray<number> => [type, ...pidBytes(pid), 0xf0, 0]

const pat = packetOf(pids.pat, [0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, ...pidBytes(pids.pmt)])
const pmtWith = (sounds: number): Uint8Array => {
  const entries = [
    streamEntry(streamTypes.video, pids.video),
    ...Array.from({ length: sounds }, (_, sound) => streamEntry(streamTypes.audio, soundPid(sound))),
  ].flat()
  return packetOf(pids.pmt, [
    ...[2, 0xb0, 13 + entries.length, 0, 1, 0xc1, 0, 0, ...pidBytes(pids.video), 0xf0, 0],
    ...entries,
  ])
}

/** PAT and PMT, one packet each. */
export const tablePackets = (continuity: number, sounds: number): Uint8Array => {
  const packets = new Uint8Array(2 * packetBytes)
  packets.set(pat)
  packets.set(pmtWith(sounds), packetBytes)
  setContinuity(packets, 0, continuity)
  setContinuity(packets, packetBytes, continuity)
  return packets
}

/** A table section that fits into one packet, without its header, or null. */
const sectionOf = (bytes: Uint8Array, at: number): Uint8Array | null => {
  if (!startsUnit(bytes, at)) return null
  const payload = payloadStart(bytes, at)
  const start = payload + 1 + (bytes[payload] ?? packetBytes)
  const length = (((bytes[start + 1] ?? 0) & 0x0f) << 8) | (bytes[start + 2] ?? 0)
  const end = start + 3 + length - 4
  return end <= at + packetBytes && end > start ? bytes.subarray(start, end) : null
}

const pidAt = (section: Uint8Array, index: number): number =>
  (((section[index] ?? 0) & 0x1f) << 8) | (section[index + 1] ?? 0)

/** The PID of the first program's PMT. */
export const pmtPidIn = (bytes: Uint8Array, at: number): number | null => {
  const section = sectionOf(bytes, at)
  if (section === null) return null
  for (let index = 8; index + 4 <= section.length; index += 4) {
    if (section[index] !== 0 || section[index + 1] !== 0) return pidAt(section, index + 2)
  }
  return null
}

export interface ProgramTrack {
  readonly track: Track
  /** Which of the sound tracks, from 0; 0 for the picture. */
  readonly sound: number
}

/** Which PID carries which track: the first picture, and all sounds in their order. */
export const tracksIn = (bytes: Uint8Array, at: number): ReadonlyMap<number, ProgramTrack> | null => {
  const section = sectionOf(bytes, at)
  if (section === null) return null
  const tracks = new Map<number, ProgramTrack>()
  const found = { video: 0, audio: 0 }
  const infoBytes = (((section[10] ?? 0) & 0x0f) << 8) | (section[11] ?? 0)
  for (let index = 12 + infoBytes; index + 5 <= section.length;) {
    const type = section[index]
    const track = type === streamTypes.video ? 'video' : type === streamTypes.audio ? 'audio' : null
    if (track === 'audio' || (track === 'video' && found.video === 0)) {
      tracks.set(pidAt(section, index + 1), { track, sound: found[track] })
      found[track] += 1
    }
    index += 5 + ((((section[index + 3] ?? 0) & 0x0f) << 8) | (section[index + 4] ?? 0))
  }
  return tracks
}
