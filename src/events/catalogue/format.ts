import * as t from 'io-ts'
import { entityId, finite, list, nullable, oneOf, record, sinceLater, whole } from './shapes.js'

export const Rendition = record({
  /** Name of its track, as `v360`. */
  id: entityId,
  /** Null: follows from the height and the source's aspect ratio. */
  width: nullable(whole),
  height: whole,
  crf: finite,
  preset: t.string,
})
/** A picture of a stream beside the first one, made by the same encoder process in the same segments. */
export type Rendition = t.TypeOf<typeof Rendition>

export const Sound = record({
  /** Name of its track: `audio` for the first one, then `audio-2` and so on. */
  id: entityId,
  /** Language tag (RFC 5646), as `de` or `pt-BR`. */
  language: t.string,
  /** What viewers choose it by. */
  name: t.string,
})
/** A sound track of a stream. */
export type Sound = t.TypeOf<typeof Sound>

export const StreamFormat = record({
  frameRate: record({ num: whole, den: whole }),
  /** Frames in a group of pictures, which is one segment. */
  gopFrames: whole,
  /** Length of a segment in 90 kHz ticks: gopFrames * 90000 * den / num. */
  segmentTicks: whole,
  /** Null: follows from the height and the source's aspect ratio. */
  width: nullable(whole),
  height: whole,
  crf: finite,
  preset: t.string,
  sampleRate: t.literal(48000),
  channels: t.literal(2),
  /** Smaller pictures beside the one above, which is the feed's and has the track `video`. */
  renditions: sinceLater(list(Rendition), []),
  /** Whether playlists offer the sound alone. */
  audioOnly: sinceLater(t.boolean, false),
  /** The sound tracks, if there are several or their language is known; empty: one, of which nothing is said. */
  sounds: sinceLater(list(Sound), []),
})
/** How every server encodes a stream. Equal formats on the same feed give byte-identical segments. */
export type StreamFormat = t.TypeOf<typeof StreamFormat>

export const StandbyMode = oneOf('hot', 'warm', 'cold')
/** hot: encoder always on; warm: verified copies of the last N, encoder on prediction; cold: nothing until ordered. */
export type StandbyMode = t.TypeOf<typeof StandbyMode>

export const StepDeadlines = record({
  /** Order to StandbyActivated and BufferStitched. */
  activateMs: whole,
  /** CutoverChosen to CutoverReached. */
  cutoverMs: whole,
  /** StreamSwitched to PrimaryDrained. */
  drainMs: whole,
  /** StandbyAssigned to BufferSynchronized. */
  synchronizeMs: whole,
})
export type StepDeadlines = t.TypeOf<typeof StepDeadlines>

export const StreamPolicy = record({
  standby: StandbyMode,
  /** N: segments each server keeps, and a standby verifies before it may take over. */
  bufferSegments: whole,
  /** How many segments after the live one a planned cut-over is put. */
  cutoverLeadSegments: whole,
  /** How far back in the feed a standby's encoder starts. */
  backfillMs: whole,
  /** Standbys tried in one handover before it is aborted. */
  attemptsMax: whole,
  deadlines: StepDeadlines,
})
export type StreamPolicy = t.TypeOf<typeof StreamPolicy>

/** What a stream gets when nothing else is asked for. */
export const defaultStreamPolicy: StreamPolicy = {
  standby: 'warm',
  bufferSegments: 16,
  cutoverLeadSegments: 2,
  backfillMs: 3_000,
  attemptsMax: 3,
  deadlines: { activateMs: 6_000, cutoverMs: 4_000, drainMs: 6_000, synchronizeMs: 10_000 },
}
