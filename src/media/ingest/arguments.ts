import type { FfmpegInput, FfmpegRun } from '../ffmpeg/process.js'
import { frameAt, soundCount, ticksPerSecond, type StreamFormat } from '../format.js'
import type { Source } from './source.js'

export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** Frames between key frames of the feed: as many whole segments as fit into a second. */
export const feedGopFrames = (format: StreamFormat): number => {
  const framesPerSecond = frameAt(ticksPerSecond, format)
  return Math.max(1, Math.floor(framesPerSecond / format.gopFrames)) * format.gopFrames
}

const even = (size: number): number => Math.max(16, Math.round(size / 2) * 2)

/** Size of the feed's pictures: the format's own, its width from the source's shape when the format leaves it open. */
export const feedSize = (format: StreamFormat, source: PictureSize | null): PictureSize => ({
  width: format.width ?? even((format.height * (source?.width ?? 16)) / (source?.height ?? 9)),
  height: format.height,
})

const quiet: ReadonlyArray<string> = ['-loglevel', 'error', '-nostats', '-nostdin']
const rateOf = ({ frameRate: { num, den } }: StreamFormat): string => `${num}/${den}`

/** Everything that decides the coded form, equal for source and slate, so that one may follow the other at any frame. */
const feedOutput = (format: StreamFormat, gopFrames = feedGopFrames(format)): ReadonlyArray<string> => {
  const gop = String(gopFrames)
  return [
    ...['-c:v', 'libx264', '-preset', format.height > 480 ? 'superfast' : 'veryfast', '-tune', 'zerolatency'],
    ...['-threads', '1', '-pix_fmt', 'yuv420p', '-crf', '20', '-profile:v', 'high'],
    ...['-g', gop, '-keyint_min', gop, '-sc_threshold', '0', '-flags', '+cgop'],
    ...['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'],
    ...['-c:a', 'aac', '-b:a', '128k', '-ar', String(format.sampleRate), '-ac', String(format.channels)],
    ...['-f', 'mpegts', '-flush_packets', '1', '-muxdelay', '0', '-muxpreload', '0'],
    // With their length in the header, frames are known to be complete without waiting for the next one.
    ...['-pes_payload_size', '0', '-omit_video_pes_length', '0', '-max_interleave_delta', '0'],
  ]
}

/** Fits any picture, whatever its pixel shape, into the feed's size, with black bars where needed. */
const fit = ({ width, height }: PictureSize): string => {
  const factor = `min(${width}/(iw*sar)\\,${height}/ih)`
  return [
    `scale=w='max(2\\,trunc(iw*sar*${factor}/2+0.5)*2)':h='max(2\\,trunc(ih*${factor}/2+0.5)*2)':flags=bicubic`,
    `pad=${width}:${height}:-1:-1`,
    'setsar=1',
  ].join(',')
}

const burnIn = (text: string, size: PictureSize, y: string, share: number): string =>
  `drawtext=font=Sans:text='${text}':fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=6:fontsize=${Math.round(size.height * share)}:x=(w-tw)/2:y=${y}`

const soundMaps = (format: StreamFormat, from: (sound: number) => string): ReadonlyArray<string> =>
  Array.from({ length: soundCount(format) }, (_, sound) => ['-map', from(sound)]).flat()

const testcardInputs = (format: StreamFormat, { width, height }: PictureSize): ReadonlyArray<FfmpegInput> => [
  { source: `testsrc2=size=${width}x${height}:rate=${rateOf(format)}`, options: [...quiet, '-re', '-f', 'lavfi'] },
  ...Array.from({ length: soundCount(format) }, (_, sound) => ({
    source: `sine=frequency=${440 + 110 * sound}:beep_factor=2:sample_rate=48000`,
    options: ['-f', 'lavfi'],
  })),
]

const groupOf = (format: StreamFormat, short: boolean): number => (short ? format.gopFrames : feedGopFrames(format))

/** The test card: moving pattern, UTC time, frame number (if text can be drawn), and tones that beep every second. */
const testcardRun = ({ format, size, withText, shortGroups }: SourceRunOptions): FfmpegRun => ({
  inputs: testcardInputs(format, size),
  outputOptions: [
    ...['-map', '0:v:0', ...soundMaps(format, (sound) => `${sound + 1}:a:0`), '-vf'],
    [
      ...(withText
        ? [
            burnIn('%{gmtime\\:%H\\\\\\:%M\\\\\\:%S} UTC', size, 'h*0.72', 0.08),
            burnIn('frame %{frame_num}', size, 'h*0.84', 0.06),
          ]
        : []),
      'setsar=1',
    ].join(','),
    ...['-af', 'volume=-18dB'],
    ...feedOutput(format, groupOf(format, shortGroups)),
  ],
})

/** How a source is read. @param timed its bytes come faster than they play (a file), so that ffmpeg must hold them back */
const inputOf = (source: Exclude<Source, { type: 'testcard' }>, timed: boolean): FfmpegInput => {
  const pace = timed ? ['-re', '-stream_loop', '-1'] : ['-fflags', '+nobuffer+genpts+discardcorrupt']
  const probing = timed ? [] : ['-analyzeduration', '1500000']
  switch (source.type) {
    case 'file':
      return { source: source.path, options: [...quiet, '-fflags', '+genpts', ...pace] }
    case 'http':
      return { source: source.url, options: [...quiet, ...probing, '-rw_timeout', '5000000', ...pace] }
    case 'rtmp':
      return {
        source: source.url,
        // In listening mode the timeout is in seconds and makes an orphan give its port back.
        options: [
          ...quiet,
          ...probing,
          ...pace,
          ...(source.listen ? ['-listen', '1', '-timeout', '60'] : ['-rw_timeout', '5000000']),
        ],
      }
    case 'srt':
      return { source: source.url, options: [...quiet, ...probing, ...pace] }
  }
}

export interface SourceRunOptions {
  readonly source: Source
  readonly format: StreamFormat
  readonly size: PictureSize
  readonly timed: boolean
  /** Null: not known, frames that say they are interlaced are treated so. */
  readonly interlaced: boolean | null
  /** A key frame for each segment, not for each second. */
  readonly shortGroups: boolean
  readonly withText: boolean
}

/** One ffmpeg that turns the source into the feed's form. */
export const sourceRun = (options: SourceRunOptions): FfmpegRun => {
  const { source, format, size, timed, interlaced, shortGroups } = options
  if (source.type === 'testcard') return testcardRun(options)
  const filters = [
    ...(interlaced === false ? [] : ['bwdif=mode=send_frame:deint=interlaced']),
    `fps=${rateOf(format)}`,
    fit(size),
    'format=yuv420p',
  ]
  return {
    inputs: [inputOf(source, timed)],
    outputOptions: [
      // Sounds that the source lacks become silence.
      ...['-map', '0:v:0', ...soundMaps(format, (sound) => `0:a:${sound}?`)],
      ...['-vf', filters.join(','), '-af', 'aresample=48000:async=1'],
      // A picture of another size makes ffmpeg set up its filters anew, and the frame that `fps` held back is lost with them.
      ...['-vsync', 'cfr', '-sn', '-dn', ...feedOutput(format, groupOf(format, shortGroups))],
    ],
  }
}

/** Two groups of a still picture with silence: two, because neighbouring IDR pictures must differ in their id. */
export const slateRun = (format: StreamFormat, size: PictureSize, withText: boolean): FfmpegRun => ({
  inputs: [
    {
      source: `color=c=0x1a2530:size=${size.width}x${size.height}:rate=${rateOf(format)}`,
      options: [...quiet, '-f', 'lavfi'],
    },
    { source: 'anullsrc=channel_layout=stereo:sample_rate=48000', options: ['-f', 'lavfi'] },
  ],
  outputOptions: [
    ...['-map', '0:v:0', '-map', '1:a:0', '-vf'],
    [...(withText ? [burnIn('no signal', size, '(h-th)/2', 0.1)] : []), 'setsar=1'].join(','),
    ...['-frames:v', String(2 * feedGopFrames(format)), '-shortest'],
    ...feedOutput(format),
  ],
})
