import * as E from 'fp-ts/lib/Either.js'
import type { StreamFormat } from '../events/index.js'
import { formatFor } from '../runtime/format.js'
import { UsageError } from './usage.js'
import type { AudioTrackList, RenditionList } from './values.js'

export interface FormatFlags {
  readonly fps: number
  readonly segment?: number
  readonly gop?: number
  readonly height: number
  readonly renditions?: RenditionList
  readonly audioTracks?: AudioTrackList
}

export const sourceHelp =
  'testcard (a moving test picture with sound), a file (looped), http(s)://, rtmp:// or srt://; rtmp with a local host and srt with ?mode=listener wait for a publisher'

/** @throws UsageError for a format that cannot be; the message names the nearest ones that can. */
export function formatOf({ fps, segment, gop, height, renditions, audioTracks }: FormatFlags): StreamFormat {
  const [largest, ...smaller] = renditions?.heights ?? [height]
  const format = formatFor({
    ...{ fps, height: largest, smaller, audioOnly: renditions?.audioOnly ?? false },
    ...(audioTracks === undefined ? {} : { sounds: audioTracks.sounds }),
    ...(segment === undefined ? {} : { segmentMs: segment }),
    ...(gop === undefined ? {} : { gopFrames: gop }),
  })
  if (E.isRight(format)) return format.right
  throw new UsageError(format.left.message)
}
