import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { makeFolder } from '../../events/stores/folder.js'
import type { PictureSize } from './arguments.js'
import type { Slate } from './slate.js'

const Unit = t.type({
  track: t.union([t.literal('video'), t.literal('audio')]),
  sound: t.literal(0),
  pts: t.number,
  keyFrame: t.boolean,
  packets: t.string,
})
const Kept = t.type({
  version: t.literal(1),
  format: t.string,
  size: t.type({ width: t.number, height: t.number }),
  withText: t.boolean,
  video: t.readonlyArray(Unit),
  silence: Unit,
})

/** A slate that was made before, and the picture size that it was made for. */
export interface KeptSlate {
  readonly slate: Slate
  readonly size: PictureSize
}

/**
 * Keeps the slate of a stream. To make one takes as long as ffmpeg takes to start, which on a busy machine is seconds: a
 * feed that is gone on with cannot wait for it.
 */
export interface SlateFile {
  /** The slate for this format; null when there is none that can be used. */
  readonly load: (format: string) => KeptSlate | null
  /** Best effort: without it, the next start takes longer. */
  readonly save: (format: string, kept: KeptSlate) => void
}

export const slateFile = (dataDir: string, stream: string): SlateFile => {
  const path = join(dataDir, `ingest-${encodeURIComponent(stream)}.slate.json`)
  return {
    load: (format) => {
      try {
        const kept = Kept.decode(JSON.parse(readFileSync(path, 'utf8')))
        if (E.isLeft(kept) || kept.right.format !== format || kept.right.video.length === 0) return null
        const { size, withText, video, silence } = kept.right
        return { size, slate: { withText, video: video.map(unpacked), silence: unpacked(silence) } }
      } catch {
        return null
      }
    },
    save: (format, { size, slate }) => {
      const { withText, video, silence } = slate
      const { width, height } = size
      const kept: t.TypeOf<typeof Kept> = {
        ...{ version: 1, format, withText, size: { width, height } },
        video: video.map(packed),
        silence: packed(silence),
      }
      try {
        makeFolder(dataDir)
        writeFileSync(`${path}.new`, JSON.stringify(kept))
        renameSync(`${path}.new`, path)
      } catch {
        // The journal of the feed tells of a disk that does not work.
      }
    },
  }
}

type KeptUnit = t.TypeOf<typeof Unit>
type SlateUnit = Slate['silence']

const packed = ({ track, pts, keyFrame, packets }: SlateUnit): KeptUnit => ({
  ...{ track, sound: 0, pts, keyFrame },
  packets: Buffer.from(packets).toString('base64'),
})
const unpacked = ({ track, sound, pts, keyFrame, packets }: KeptUnit): SlateUnit => ({
  ...{ track, sound, pts, keyFrame },
  packets: Buffer.from(packets, 'base64'),
})
