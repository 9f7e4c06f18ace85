import { withoutSlash, type Asking } from './bootstrap.js'
import { isMalformed, readInit, type TrackInit } from './fragment.js'
import { getWithin } from './within.js'

/** What a decoder needs before the first segment; bytes for players, tracks for the continuity check. */
export interface StreamInit {
  /** Of the first picture and the sound. */
  readonly combined: Uint8Array
  readonly video: Uint8Array
  readonly audio: Uint8Array
  readonly videoTrack: TrackInit
  readonly audioTrack: TrackInit
}

const fetchBytes = async (asking: Asking, url: string): Promise<Uint8Array | null> => {
  try {
    const answer = await getWithin(asking.transport, asking.clock, url, asking.deadlineMs, asking.signal)
    return answer.status === 200 ? answer.body : null
  } catch {
    return null
  }
}

/** @param rendition track of the picture */
export const fetchInit = async (asking: Asking, serverUrl: string, rendition: string): Promise<StreamInit | null> => {
  const base = `${withoutSlash(serverUrl)}/streams/${asking.stream}`
  const [combined, video, audio] = await Promise.all([
    fetchBytes(asking, `${base}/init.mp4`),
    fetchBytes(asking, `${base}/${rendition}/init.mp4`),
    fetchBytes(asking, `${base}/audio/init.mp4`),
  ])
  if (combined === null || video === null || audio === null) return null
  const trackIn = (bytes: Uint8Array, kind: TrackInit['kind']): TrackInit | undefined => {
    const found = readInit(bytes)
    return isMalformed(found) ? undefined : found.find((track) => track.kind === kind && track.timescale > 0)
  }
  const videoTrack = trackIn(video, 'video')
  const audioTrack = trackIn(audio, 'audio')
  return videoTrack === undefined || audioTrack === undefined
    ? null
    : { combined, video, audio, videoTrack, audioTrack }
}
