import { execFileSync } from 'node:child_process'
import * as E from 'fp-ts/lib/Either.js'
import type { AccessUnit } from '../../src/media/feed/index.js'
import { formatFor, type FormatRequest, type StreamFormat } from '../../src/media/format.js'
import type { CodecConfiguration } from '../../src/media/fmp4/index.js'
import type { Track } from '../../src/media/segment.js'

/** The format of most tests: 25 fps, segments of 8 frames (320 ms). */
export const formatOf = (request: Partial<FormatRequest> = {}): StreamFormat => {
  const format = formatFor({ fps: 25, height: 180, ...request })
  if (E.isLeft(format)) throw new Error(format.left.message)
  return format.right
}

export const someConfiguration: CodecConfiguration = {
  video: { width: 320, height: 180, avcC: Uint8Array.of(1, 0x64, 0, 0x0d, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68) },
  audio: { sampleRate: 48000, channels: 2, audioSpecificConfig: Uint8Array.of(0x11, 0x90) },
  others: {},
}

/** Time stamp of a PES header: five bytes that begin with a marker. */
const stamp = (pts: number): ReadonlyArray<number> => {
  const high = Math.floor(pts / 2 ** 30)
  const low = pts % 2 ** 30
  return [0x21 | (high << 1), low >> 22, ((low >> 14) & 0xfe) | 1, (low >> 7) & 0xff, ((low << 1) & 0xfe) | 1]
}

/** A made-up frame in TS packets with its payload full of `fill`. */
export const unitOf = (
  track: Track,
  pts: number,
  {
    keyFrame = track === 'audio',
    packets = 2,
    fill = 0xaa,
  }: { keyFrame?: boolean; packets?: number; fill?: number } = {},
): AccessUnit => {
  const bytes = new Uint8Array(packets * 188).fill(fill)
  const pesBytes = packets * 184 - 8 - 6
  for (let at = 0; at < bytes.length; at += 188) bytes.set([0x47, 1, track === 'video' ? 0 : 1, 0x10], at)
  bytes.set([0x47, 0x41, track === 'video' ? 0 : 1, 0x30, 7, keyFrame ? 0x50 : 0x10, 0, 0, 0, 0, 0x7e, 0], 0)
  const streamId = track === 'video' ? 0xe0 : 0xc0
  bytes.set([0, 0, 1, streamId, pesBytes >> 8, pesBytes & 0xff, 0x80, 0x80, 5, ...stamp(pts)], 12)
  return { track, sound: 0, pts, keyFrame, packets: Buffer.from(bytes) }
}

/** Runs ffmpeg to its end, for clips that tests need. */
export const ffmpegNow = (...options: ReadonlyArray<string>): void => {
  execFileSync('ffmpeg', ['-hide_banner', '-v', 'error', '-nostdin', '-y', ...options], { stdio: 'pipe' })
}

/** Numbers that do not follow on the one before. */
export const breaksIn = (numbers: ReadonlyArray<number>): ReadonlyArray<number> =>
  numbers.filter((number, index) => index > 0 && number !== (numbers[index - 1] ?? 0) + 1)
