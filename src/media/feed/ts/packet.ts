/** Fields of single MPEG-TS packets (ISO/IEC 13818-1, 2.4.3), read and changed in place. `at` is the packet's first byte. */
import { wrap33 } from './clock33.js'

export const packetBytes = 188
export const syncByte = 0x47

const byte = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0

export const pidOf = (bytes: Uint8Array, at: number): number =>
  ((byte(bytes, at + 1) & 0x1f) << 8) | byte(bytes, at + 2)

/** True for the first packet of a PES packet or table section. */
export const startsUnit = (bytes: Uint8Array, at: number): boolean => (byte(bytes, at + 1) & 0x40) !== 0

const hasPayload = (bytes: Uint8Array, at: number): boolean => (byte(bytes, at + 3) & 0x10) !== 0
const hasAdaptation = (bytes: Uint8Array, at: number): boolean => (byte(bytes, at + 3) & 0x20) !== 0

/** Where the payload begins; at + 188 when there is none or the packet is malformed. */
export const payloadStart = (bytes: Uint8Array, at: number): number => {
  if (!hasPayload(bytes, at)) return at + packetBytes
  const start = hasAdaptation(bytes, at) ? at + 5 + byte(bytes, at + 4) : at + 4
  return Math.min(start, at + packetBytes)
}

const adaptationFlags = (bytes: Uint8Array, at: number): number =>
  hasAdaptation(bytes, at) && byte(bytes, at + 4) > 0 ? byte(bytes, at + 5) : 0

/** random_access_indicator: decoding may begin here. */
export const isRandomAccess = (bytes: Uint8Array, at: number): boolean => (adaptationFlags(bytes, at) & 0x40) !== 0

export const setPid = (bytes: Uint8Array, at: number, pid: number): void => {
  bytes[at + 1] = (byte(bytes, at + 1) & 0xe0) | (pid >> 8)
  bytes[at + 2] = pid & 0xff
}

export const setContinuity = (bytes: Uint8Array, at: number, counter: number): void => {
  bytes[at + 3] = (byte(bytes, at + 3) & 0xf0) | (counter & 0x0f)
}

/** What a packet is numbered with, modulo 16. */
export const continuityOf = (bytes: Uint8Array, at: number): number => byte(bytes, at + 3) & 0x0f

const readStamp = (bytes: Uint8Array, at: number): number =>
  ((byte(bytes, at) >> 1) & 0x07) * 2 ** 30 +
  ((byte(bytes, at + 1) << 22) |
    ((byte(bytes, at + 2) >> 1) << 15) |
    (byte(bytes, at + 3) << 7) |
    (byte(bytes, at + 4) >> 1))

const writeStamp = (bytes: Uint8Array, at: number, ticks: number): void => {
  const high = Math.floor(ticks / 2 ** 30)
  const low = ticks % 2 ** 30
  bytes[at] = (byte(bytes, at) & 0xf1) | (high << 1)
  bytes[at + 1] = low >> 22
  bytes[at + 2] = ((low >> 14) & 0xfe) | 1
  bytes[at + 3] = (low >> 7) & 0xff
  bytes[at + 4] = ((low << 1) & 0xfe) | 1
}

/** Where the PES header of a packet that starts a unit lies, if it has one with the optional part; else null. */
const pesHeaderAt = (bytes: Uint8Array, at: number): number | null => {
  const start = payloadStart(bytes, at)
  if (start + 9 > at + packetBytes) return null
  const prefix = byte(bytes, start) === 0 && byte(bytes, start + 1) === 0 && byte(bytes, start + 2) === 1
  return prefix && (byte(bytes, start + 6) & 0xc0) === 0x80 ? start : null
}

export interface PesHeader {
  readonly pts: number | null
  readonly dts: number | null
  /** Bytes of PES packet that follow the length field; 0 when it says "until the next one". */
  readonly lengthBytes: number
  /** Bytes of the PES packet, from its start code, within this TS packet. */
  readonly bytesHere: number
}

/** Reads the PES header of a packet that starts a unit. */
export const readPesHeader = (bytes: Uint8Array, at: number): PesHeader | null => {
  const start = pesHeaderAt(bytes, at)
  if (start === null) return null
  const flags = byte(bytes, start + 7) >> 6
  const fits = (size: number): boolean => start + 9 + size <= at + packetBytes
  return {
    pts: (flags & 2) !== 0 && fits(5) ? readStamp(bytes, start + 9) : null,
    dts: flags === 3 && fits(10) ? readStamp(bytes, start + 14) : null,
    lengthBytes: (byte(bytes, start + 4) << 8) | byte(bytes, start + 5),
    bytesHere: at + packetBytes - start,
  }
}

/** Adds ticks to every clock (PCR, PTS, DTS) that a packet carries, modulo 2^33. */
export const shiftClocks = (bytes: Uint8Array, at: number, ticks: number): void => {
  if ((adaptationFlags(bytes, at) & 0x10) !== 0 && byte(bytes, at + 4) >= 7) {
    const base =
      byte(bytes, at + 6) * 2 ** 25 +
      ((byte(bytes, at + 7) << 17) |
        (byte(bytes, at + 8) << 9) |
        (byte(bytes, at + 9) << 1) |
        (byte(bytes, at + 10) >> 7))
    const shifted = wrap33(base + ticks)
    bytes[at + 6] = Math.floor(shifted / 2 ** 25)
    const low = shifted % 2 ** 25
    bytes[at + 7] = low >> 17
    bytes[at + 8] = (low >> 9) & 0xff
    bytes[at + 9] = (low >> 1) & 0xff
    bytes[at + 10] = (byte(bytes, at + 10) & 0x7f) | ((low & 1) << 7)
  }
  if (!startsUnit(bytes, at)) return
  const start = pesHeaderAt(bytes, at)
  const header = start === null ? null : readPesHeader(bytes, at)
  if (start === null || header === null) return
  if (header.pts !== null) writeStamp(bytes, start + 9, wrap33(header.pts + ticks))
  if (header.dts !== null) writeStamp(bytes, start + 14, wrap33(header.dts + ticks))
}
