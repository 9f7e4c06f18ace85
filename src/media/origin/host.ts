import type { StreamFormat } from '../../events/index.js'
import type { Assignment, Route, SessionDocument } from '../../messaging/index.js'
import type { SegmentBuffer } from '../buffer/index.js'
import type { Authority } from './authority.js'
import type { RouteBook } from './routeBook.js'

export type Role = Assignment['role']

/** A stream as the origin serves it. */
export interface OriginStream {
  readonly stream: string
  readonly format: StreamFormat
  readonly buffer: SegmentBuffer
  /** Numbers in a playlist; the same on every server of the stream. */
  readonly windowSegments: number
  readonly role: () => Role
  readonly encoding: () => boolean
  readonly routes: RouteBook
  readonly authority: Authority
  /** A viewer (not a peer) asks for a number. */
  readonly onViewerRequest: (number: number) => void
}

export interface DrainProgress {
  readonly draining: boolean
  readonly since: number | null
  readonly deadlineAt: number | null
  readonly streams: ReadonlyArray<{ readonly stream: string; readonly role: Role }>
  readonly viewers: number
  /** Nothing is left that viewers would miss. */
  readonly done: boolean
}

/** Taking a whole server out of service. */
export interface DrainControl {
  readonly start: (by: string, deadlineMs: number | null) => DrainProgress
  readonly cancel: (by: string) => DrainProgress
  readonly progress: () => DrainProgress
}

/** What the origin stands on; the media server wires it. */
export interface OriginHost {
  /** Name of this server. */
  readonly server: string
  readonly bootId: string
  readonly streamOf: (stream: string) => OriginStream | null
  /** Newest known route, also of streams that are not (any more) here. */
  readonly routeOf: (stream: string) => Route | null
  /** From the newest signed notice; asks for it when none is known. Null: nobody knows. */
  readonly sessionOf: (stream: string) => Promise<SessionDocument | null>
  readonly drain: DrainControl
  /** Looks for a suspension of the process before anything is served in the name of the primary. */
  readonly checkSuspension: () => void
}

/** A playlist should span three target durations of one second (RFC 8216, 6.2.2), however small N is. */
export const windowSegments = (format: StreamFormat, bufferSegments: number): number =>
  Math.max(bufferSegments, Math.ceil(270_000 / format.segmentTicks))
