import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createEncoder, type Encoder, type EncoderOptions, type EncoderState } from '../../src/media/encoder/index.js'
import type { CodecConfiguration } from '../../src/media/fmp4/index.js'
import type { EncodedSegment, InitSegments, TrackName } from '../../src/media/segment.js'

/** An encoder and everything that came out of it. */
export interface WatchedEncoder {
  readonly encoder: Encoder
  readonly inits: InitSegments[]
  readonly configurations: CodecConfiguration[]
  readonly segments: EncodedSegment[]
  readonly states: EncoderState[]
  readonly numbers: (track: TrackName) => ReadonlyArray<number>
  readonly saw: (type: EncoderState['type']) => boolean
}

export const watchEncoder = (
  options: Pick<EncoderOptions, 'format' | 'feedUrl' | 'stream'> & Partial<EncoderOptions>,
): WatchedEncoder => {
  const inits: InitSegments[] = []
  const configurations: CodecConfiguration[] = []
  const segments: EncodedSegment[] = []
  const states: EncoderState[] = []
  const encoder = createEncoder({
    ...options,
    onInit: (init, configuration) => {
      inits.push(init)
      configurations.push(configuration)
    },
    onSegment: (segment) => segments.push(segment),
    onState: (state) => states.push(state),
  })
  return {
    encoder,
    inits,
    configurations,
    segments,
    states,
    numbers: (track) => segments.filter((segment) => segment.track === track).map(({ number }) => number),
    saw: (type) => states.some((state) => state.type === type),
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Decodes media and gives what ffmpeg complained about, and how many video frames it saw. */
export const decode = (
  bytes: Uint8Array,
  options: ReadonlyArray<string> = [],
): Promise<{ readonly complaints: string; readonly videoFrames: number }> =>
  new Promise((resolve, reject) => {
    const child = spawn('ffmpeg', [
      '-v',
      'error',
      ...options,
      '-i',
      'pipe:0',
      '-map',
      '0',
      '-progress',
      'pipe:1',
      '-f',
      'null',
      '-',
    ])
    let complaints = ''
    let progress = ''
    child.stdout.on('data', (chunk: Buffer) => (progress += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
    child.stdin.on('error', () => undefined)
    child.on('error', reject)
    child.on('close', () => {
      const frames = [...progress.matchAll(/^frame=\s*(\d+)/gm)].at(-1)?.[1]
      resolve({ complaints, videoFrames: Number(frames ?? 0) })
    })
    child.stdin.end(bytes)
  })
