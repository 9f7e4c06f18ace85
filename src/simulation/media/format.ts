import type { StreamFormat } from '../../events/index.js'
import { msOfTicks, phaseTicks } from '../../media/format.js'

/** Segments of half a second with a short start-up phase: as few segments for each handover as the rules allow. */
export const simulatedFormat: StreamFormat = {
  frameRate: { num: 32, den: 1 },
  gopFrames: 16,
  segmentTicks: 45_000,
  width: 640,
  height: 360,
  crf: 28,
  preset: 'veryfast',
  sampleRate: 48_000,
  channels: 2,
  renditions: [],
  audioOnly: false,
  sounds: [],
}

export const segmentMs = msOfTicks(simulatedFormat.segmentTicks)

/** Segments between two numbers that an encoder may begin with. */
export const phaseSegments = phaseTicks(simulatedFormat) / simulatedFormat.segmentTicks

/** The segment that an instant belongs to. */
export const numberAt = (atMs: number): number => Math.floor(atMs / segmentMs)
