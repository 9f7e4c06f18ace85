import { phaseFrames, type StreamFormat } from '../format.js'
import type { FfmpegRun } from '../ffmpeg/process.js'

/**
 * The arguments that make two encoders write the same bytes whenever they start: frames are dropped up to an absolute
 * phase (a forced key-frame expression counts from the first frame, so it cannot align a late joiner), rate control
 * keeps no memory, and one thread encodes. Measured facts: docs of the media plane.
 */
export const encoderRun = (format: StreamFormat): FfmpegRun => {
  const { num, den } = format.frameRate
  const rate = `${num}/${den}`
  const gop = String(format.gopFrames)
  const size = `${format.width ?? -2}:${format.height}`
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
      ...['-map', '0:v:0', '-map', '0:a:0'],
      '-vf',
      `fps=${rate},select='not(isnan(prev_selected_t))+eq(mod(round(t*${rate}),${phaseFrames(format)}),0)',scale=${size}:flags=bilinear`,
      ...['-c:v', 'libx264', '-preset', format.preset, '-tune', 'zerolatency', '-threads', '1', '-pix_fmt', 'yuv420p'],
      ...['-crf', String(format.crf), '-x264-params', 'qcomp=1:ipratio=1'],
      ...['-g', gop, '-keyint_min', gop, '-sc_threshold', '0', '-flags', '+cgop'],
      ...['-force_key_frames', `expr:eq(mod(n,${gop}),0)`, '-bsf:v', 'filter_units=remove_types=6'],
      // Audio was encoded once, at ingest: encoding it again would differ between servers.
      ...['-c:a', 'copy', '-bsf:a', 'aac_adtstoasc'],
      ...['-f', 'mp4', '-avoid_negative_ts', 'disabled', '-video_track_timescale', '90000', '-use_editlist', '0'],
      ...['-max_interleave_delta', '0', '-flush_packets', '1'],
      ...['-movflags', '+frag_keyframe+delay_moov+default_base_moof+frag_discont+separate_moof'],
    ],
  }
}
