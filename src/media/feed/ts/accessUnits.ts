import type { Track } from '../../segment.js'
import { unwrap33 } from './clock33.js'
import { isRandomAccess, packetBytes, pidOf, readPesHeader, startsUnit, payloadStart, syncByte } from './packet.js'
import { pids, pmtPidIn, tracksIn } from './tables.js'

/** One coded frame, in the TS packets that carry it. */
export interface AccessUnit {
  readonly track: Track
  /** Presentation time on the stream's own clock, unwrapped from its first unit on. */
  readonly pts: number
  readonly keyFrame: boolean
  readonly packets: Uint8Array
}

interface Collecting {
  readonly track: Track
  readonly pts: number
  readonly keyFrame: boolean
  readonly packets: Uint8Array[]
  bytes: number
  /** PES bytes still to come; Infinity when the PES packet does not say. */
  missingBytes: number
}

/** A frame larger than this is not collected further. */
export const accessUnitBytesMax = 8 * 1024 * 1024

/**
 * Cuts an MPEG-TS byte stream into frames. A frame is given out as soon as its PES packet is complete: at once when the
 * packet says its length, else when the next one begins.
 */
export class AccessUnitParser {
  readonly #collecting = new Map<number, Collecting>()
  #rest: Uint8Array = new Uint8Array()
  #pmtPid: number | null = null
  #tracks: ReadonlyMap<number, Track> | null = null
  #lastPts: number | null = null

  /** Null until the program map has come. */
  get hasAudio(): boolean | null {
    return this.#tracks === null ? null : [...this.#tracks.values()].includes('audio')
  }

  push(chunk: Uint8Array): ReadonlyArray<AccessUnit> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const units: AccessUnit[] = []
    let at = 0
    while (at + packetBytes <= bytes.length) {
      if (bytes[at] !== syncByte) {
        const next = bytes.indexOf(syncByte, at + 1)
        at = next === -1 ? bytes.length : next
        continue
      }
      this.#packet(bytes, at, units)
      at += packetBytes
    }
    this.#rest = Buffer.from(bytes.subarray(at))
    return units
  }

  #packet(bytes: Uint8Array, at: number, units: AccessUnit[]): void {
    const pid = pidOf(bytes, at)
    if (pid === pids.pat) this.#pmtPid = pmtPidIn(bytes, at) ?? this.#pmtPid
    else if (pid === this.#pmtPid) this.#tracks = tracksIn(bytes, at) ?? this.#tracks
    const track = this.#tracks?.get(pid)
    if (track === undefined) return
    const payload = at + packetBytes - payloadStart(bytes, at)
    if (payload <= 0) return
    if (startsUnit(bytes, at)) {
      this.#finish(pid, units)
      this.#begin(pid, track, bytes, at)
    } else {
      const unit = this.#collecting.get(pid)
      if (unit === undefined) return
      unit.packets.push(Buffer.from(bytes.subarray(at, at + packetBytes)))
      unit.bytes += packetBytes
      unit.missingBytes -= payload
      if (unit.bytes > accessUnitBytesMax) this.#collecting.delete(pid)
    }
    const unit = this.#collecting.get(pid)
    if (unit !== undefined && unit.missingBytes <= 0) this.#finish(pid, units)
  }

  #begin(pid: number, track: Track, bytes: Uint8Array, at: number): void {
    const header = readPesHeader(bytes, at)
    if (header === null || header.pts === null) return
    const pts = this.#lastPts === null ? header.pts : unwrap33(header.pts, this.#lastPts)
    this.#lastPts = pts
    this.#collecting.set(pid, {
      track,
      pts,
      keyFrame: isRandomAccess(bytes, at),
      packets: [Buffer.from(bytes.subarray(at, at + packetBytes))],
      bytes: packetBytes,
      missingBytes: header.lengthBytes === 0 ? Infinity : header.lengthBytes + 6 - header.bytesHere,
    })
  }

  #finish(pid: number, units: AccessUnit[]): void {
    const unit = this.#collecting.get(pid)
    if (unit === undefined) return
    this.#collecting.delete(pid)
    const { track, pts, keyFrame, packets } = unit
    units.push({ track, pts, keyFrame, packets: Buffer.concat(packets) })
  }

  /** What is left when the stream has ended. */
  end(): ReadonlyArray<AccessUnit> {
    const units: AccessUnit[] = []
    for (const pid of [...this.#collecting.keys()]) {
      if (this.#collecting.get(pid)?.missingBytes === Infinity) this.#finish(pid, units)
    }
    this.#collecting.clear()
    return units
  }
}
