import { phaseFrames, type StreamFormat } from '../format.js'
import type { FfmpegRun } from '../ffmpeg/process.js'

/**
 * The arguments that make two encoders write the same bytes whenever they start: frames are dropped up to an absolute
 * phase (a forced key-frame expression counts from the first frame, so it cannot align a late joiner), rate control
 * keeps no memory, and one thread encodes each picture.
 */
export const encoderRun = (format: StreamFormat): FfmpegRun => {
  const { num, den } = format.frameRate
  const rate = `${num}/${den}`
  const gop = String(format.gopFrames)
  const aligned = `fps=${rate},select='not(isnan(prev_selected_t))+eq(mod(round(t*${rate}),${phaseFrames(format)}),0)'`
  const pictures = [format, ...format.renditions]
  const probeBytes = 65_536 * Math.max(1, Math.ceil((format.height / 360) ** 2))
  return {
    inputs: [
      {
        source: null,
        options: [
          ...['-loglevel', 'warning', '-nostats', '-nostdin', '-copyts'],
          // Not +nobuffer: it throws away what was read while probing, and with it the phase that was asked for.
          ...['-fflags', '+discardcorrupt', '-flags', 'low_delay'],
          ...['-probesize', String(probeBytes), '-analyzeduration', '200000', '-threads', '1', '-f', 'mpegts'],
        ],
      },
    ],
    outputOptions: [
      ...mapped(aligned, pictures),
      ...format.sounds.slice(1).flatMap((_, index) => ['-map', `0:a:${index + 1}`]),
      ...['-c:v', 'libx264', '-tune', 'zerolatency', '-threads', '1', '-pix_fmt', 'yuv420p'],
      ...pictures.flatMap(({ preset, crf }, index) => [`-preset:v:${index}`, preset, `-crf:v:${index}`, String(crf)]),
      ...['-x264-params', 'qcomp=1:ipratio=1'],
      ...['-g', gop, '-keyint_min', gop, '-sc_threshold', '0', '-flags', '+cgop'],
      ...['-force_key_frames:v', `expr:eq(mod(n,${gop}),0)`, '-bsf:v', 'filter_units=remove_types=6'],
      // Audio was encoded once, at ingest: encoding it again would differ between servers.
      ...['-c:a', 'copy', '-bsf:a', 'aac_adtstoasc'],
      ...['-f', 'mp4', '-avoid_negative_ts', 'disabled', '-video_track_timescale', '90000', '-use_editlist', '0'],
      ...['-max_interleave_delta', '0', '-flush_packets', '1'],
      ...['-movflags', '+frag_keyframe+delay_moov+default_base_moof+frag_discont+separate_moof'],
    ],
  }
}

type Picture = Pick<StreamFormat, 'width' | 'height' | 'preset' | 'crf'>

const scaled = ({ width, height }: Picture): string => `scale=${width ?? -2}:${height}:flags=bilinear`

/** Picture, sound, then the further pictures, as trackNames has them: frames are decoded, timed and chosen once for all of them. */
const mapped = (aligned: string, pictures: ReadonlyArray<Picture>): ReadonlyArray<string> => {
  const [first, ...others] = pictures
  if (first === undefined || others.length === 0) {
    return ['-map', '0:v:0', '-map', '0:a:0', '-vf', [aligned, ...pictures.map(scaled)].join(',')]
  }
  const names = pictures.map((_, index) => index)
  const graph = [
    `[0:v:0]${aligned},split=${pictures.length}${names.map((index) => `[s${index}]`).join('')}`,
    ...pictures.map((picture, index) => `[s${index}]${scaled(picture)}[v${index}]`),
  ]
  return [
    ...['-filter_complex', graph.join(';'), '-map', '[v0]', '-map', '0:a:0'],
    ...names.slice(1).flatMap((index) => ['-map', `[v${index}]`]),
  ]
}
