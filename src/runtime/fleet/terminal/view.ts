import type { ControlStatus } from '../../control/status.js'
import type { ViewerReport } from '../../process/supervision.js'
import type { Tone } from './text.js'

/** Something that happened, for people to read. */
export interface Note {
  readonly at: number
  readonly text: string
  readonly tone: Tone
}

/** All that the terminal shows, at one moment. */
export interface FleetView {
  readonly at: number
  readonly startedAt: number
  readonly phase: 'starting' | 'running' | 'ending'
  readonly servers: number
  readonly standby: string
  /** N: segments that each server keeps. */
  readonly bufferSegments: number
  readonly predict: boolean
  readonly controlUrl: string | null
  readonly dataDir: string
  /** The newest that the control plane has said; null before the first. */
  readonly status: ControlStatus | null
  /** Age of `status` when the control plane does not answer; null while it does. */
  readonly staleMs: number | null
  readonly viewers: ReadonlyArray<ViewerReport>
  /** The newest, oldest first. */
  readonly notes: ReadonlyArray<Note>
  /** How many notes there have been, with those that are not kept any more. */
  readonly notesTotal: number
}
