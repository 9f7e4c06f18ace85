import { unwrap33 } from './clock33.js'
import { isRandomAccess, packetBytes, pidOf, readPesHeader, startsUnit, payloadStart, syncByte } from './packet.js'
import { pids, pmtPidIn, tracksIn, type ProgramTrack } from './tables.js'

/** One coded frame, in the TS packets that carry it. */
export interface AccessUnit extends ProgramTrack {
  /** Presentation time on the stream's own clock, unwrapped from its first unit on. */
  readonly pts: number
  readonly keyFrame: boolean
  readonly packets: Uint8Array
}

interface Collecting extends ProgramTrack {
  readonly pts: number
  readonly keyFrame: boolean
  /** Whole runs of packets, those of earlier chunks among them. */
  readonly runs: Uint8Array[]
  /** The run that grows, within the present chunk: one view for all its packets, instead of a copy of each. */
  from: number
  to: number
  bytes: number
  /** PES bytes still to come; Infinity when the PES packet does not say. */
  missingBytes: number
}

const nothing = new Uint8Array()

/** A frame larger than this is not collected further. */
export const accessUnitBytesMax = 8 * 1024 * 1024

/**
 * Cuts an MPEG-TS byte stream into frames. A frame is given out as soon as its PES packet is complete: at once when the
 * packet says its length, else when the next one begins. Frames are views of the chunks that are pushed: a chunk is given
 * away.
 */
export class AccessUnitParser {
  readonly #collecting = new Map<number, Collecting>()
  #rest: Uint8Array = nothing
  #pmtPid: number | null = null
  #tracks: ReadonlyMap<number, ProgramTrack> | null = null
  #lastPts: number | null = null

  /** How many sound tracks there are; null until the program map has come. */
  get sounds(): number | null {
    return this.#tracks === null ? null : [...this.#tracks.values()].filter(({ track }) => track === 'audio').length
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
    for (const unit of this.#collecting.values()) {
      endRun(unit, bytes)
      unit.from = unit.to = 0
    }
    this.#rest = at === bytes.length ? nothing : bytes.subarray(at)
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
      this.#finish(pid, bytes, units)
      this.#begin(pid, track, bytes, at)
    } else {
      const unit = this.#collecting.get(pid)
      if (unit === undefined) return
      if (unit.to !== at) {
        endRun(unit, bytes)
        unit.from = at
      }
      unit.to = at + packetBytes
      unit.bytes += packetBytes
      unit.missingBytes -= payload
      if (unit.bytes > accessUnitBytesMax) this.#collecting.delete(pid)
    }
    const unit = this.#collecting.get(pid)
    if (unit !== undefined && unit.missingBytes <= 0) this.#finish(pid, bytes, units)
  }

  #begin(pid: number, { track, sound }: ProgramTrack, bytes: Uint8Array, at: number): void {
    const header = readPesHeader(bytes, at)
    if (header === null || header.pts === null) return
    const pts = this.#lastPts === null ? header.pts : unwrap33(header.pts, this.#lastPts)
    this.#lastPts = pts
    this.#collecting.set(pid, {
      track,
      sound,
      pts,
      keyFrame: isRandomAccess(bytes, at),
      runs: [],
      from: at,
      to: at + packetBytes,
      bytes: packetBytes,
      missingBytes: header.lengthBytes === 0 ? Infinity : header.lengthBytes + 6 - header.bytesHere,
    })
  }

  #finish(pid: number, bytes: Uint8Array, units: AccessUnit[]): void {
    const unit = this.#collecting.get(pid)
    if (unit === undefined) return
    this.#collecting.delete(pid)
    endRun(unit, bytes)
    const { track, sound, pts, keyFrame, runs } = unit
    const [single] = runs
    const packets = runs.length === 1 && single !== undefined ? single : Buffer.concat(runs)
    units.push({ track, sound, pts, keyFrame, packets })
  }

  /** What is left when the stream has ended. */
  end(): ReadonlyArray<AccessUnit> {
    const units: AccessUnit[] = []
    for (const pid of [...this.#collecting.keys()]) {
      if (this.#collecting.get(pid)?.missingBytes === Infinity) this.#finish(pid, nothing, units)
    }
    this.#collecting.clear()
    return units
  }
}

/** Makes what was found in a chunk a run of its own. */
function endRun(unit: Collecting, bytes: Uint8Array): void {
  if (unit.to > unit.from) unit.runs.push(bytes.subarray(unit.from, unit.to))
}
