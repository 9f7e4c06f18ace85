import { createHash } from 'node:crypto'
import { fragment, initSegment } from './fragments.js'

export const segmentTicks = 28_800
export const segmentMs = 320
const videoScale = 90_000
const audioScale = 48_000

/** 360p at 25 frames per second in segments of 320 ms. */
export const simulatedFormat = {
  frameRate: { num: 25, den: 1 },
  gopFrames: 8,
  segmentTicks,
  width: 640,
  height: 360,
  crf: 28,
  preset: 'veryfast',
  sampleRate: 48_000,
  channels: 2,
  renditions: [],
  audioOnly: false,
} as const

export const videoInit = initSegment({ trackId: 1, kind: 'vide', timescale: videoScale })
export const audioInit = initSegment({ trackId: 2, kind: 'soun', timescale: audioScale, sampleDurationDefault: 1024 })
export const combinedInit = initSegment(
  { trackId: 1, kind: 'vide', timescale: videoScale },
  { trackId: 2, kind: 'soun', timescale: audioScale, sampleDurationDefault: 1024 },
)

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const made = new Map<string, Uint8Array>()
const madeMax = 4_000

/** The bytes of a segment: the same at every server, unless a variant is asked for. */
export const segmentBytes = (number: number, track: 'video' | 'audio', variant = ''): Uint8Array => {
  const key = `${track} ${number} ${variant}`
  const bytes = made.get(key) ?? makeSegment(number, track, variant)
  if (made.size >= madeMax) made.clear()
  made.set(key, bytes)
  return bytes
}

const makeSegment = (number: number, track: 'video' | 'audio', variant: string): Uint8Array => {
  const payload = new TextEncoder().encode(`${track} ${number} ${variant}`)
  return track === 'video'
    ? fragment({ trackId: 1, startTicks: number * segmentTicks, durations: Array<number>(8).fill(3600), payload })
    : fragment({ trackId: 2, startTicks: (number * segmentTicks * 8) / 15, durations: 15, payload })
}
