import * as E from 'fp-ts/lib/Either.js'
import { Pool } from 'undici'
import { describeErrors, type ServerRef } from '../../events/index.js'
import { Manifest } from '../../messaging/index.js'
import { hashed, type HashedBytes } from '../buffer/index.js'
import { segmentBytesMax } from '../fmp4/index.js'
import type { Track } from '../segment.js'
import { lacks, unreachable, wrong, type PeerError } from './errors.js'

/** What a manifest promises about one track of a segment. */
export type PromisedTrack = Manifest['segments'][number]['video']

export interface CopiedInit {
  readonly video: HashedBytes
  readonly audio: HashedBytes
  readonly combined: HashedBytes
}

/** Another media server, as a source of segments to copy and to compare with. Nothing here throws. */
export interface Peer {
  readonly ref: ServerRef
  /**
   * @param after wait (up to a second or two) until the peer's live number is above this one; null: answer at once
   * @param from first number to list; default: all that there are
   */
  readonly manifest: (after?: number | null, from?: number) => Promise<E.Either<PeerError, Manifest>>
  /** Bytes of a track, checked against the manifest's length and hash. */
  readonly track: (number: number, track: Track, expected: PromisedTrack) => Promise<E.Either<PeerError, HashedBytes>>
  readonly init: (expected: NonNullable<Manifest['init']>) => Promise<E.Either<PeerError, CopiedInit>>
  /** Whether it answers at all within the time. */
  readonly alive: (timeoutMs: number) => Promise<boolean>
  readonly close: () => void
}

export interface PeerOptions {
  readonly stream: string
  readonly ref: ServerRef
  /** Name of the asking server; the peer does not count its requests as a viewer's. */
  readonly asker: string
  /** Until the answer begins, and between its parts. Default 1,000. */
  readonly timeoutMs?: number
  /** For a whole answer. Default 3,000. */
  readonly totalMsMax?: number
}

const connections = 4
const manifestBytesMax = 4 * 1024 * 1024
const initBytesMax = 64 * 1024
/** A long-polled manifest is held back by the peer at most this long on top of the ordinary time-out. */
const longPollMsMax = 2_500

/** Opens a keep-alive pool of connections to a peer's origin. */
export function connectPeer(options: PeerOptions): Peer {
  const { stream, ref, asker, timeoutMs = 1_000, totalMsMax = 3_000 } = options
  const base = new URL(ref.url)
  const pool = new Pool(base.origin, {
    connections,
    pipelining: 1,
    connect: { timeout: timeoutMs },
    keepAliveTimeout: 10_000,
  })
  const root = `${base.pathname.replace(/\/$/, '')}/streams/${stream}`
  const closed = new AbortController()

  const get = async (path: string, bytesMax: number, extraMs = 0): Promise<E.Either<PeerError, Fetched>> => {
    const where = `${ref.id} ${path}`
    const timeout = AbortSignal.timeout(totalMsMax + extraMs)
    try {
      const answer = await pool.request({
        method: 'GET',
        path,
        headers: { 'segue-peer': asker },
        headersTimeout: timeoutMs + extraMs,
        bodyTimeout: timeoutMs,
        signal: AbortSignal.any([timeout, closed.signal]),
      })
      const chunks: Uint8Array[] = []
      let bytes = 0
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        bytes += chunk.length
        if (bytes > bytesMax) {
          answer.body.destroy()
          return E.left(wrong(`${where}: more than the ${bytesMax} bytes that were promised`))
        }
        chunks.push(chunk)
      }
      const etag = answer.headers.etag
      if (answer.statusCode === 200) {
        return E.right({ bytes: Buffer.concat(chunks), etag: typeof etag === 'string' ? etag : null })
      }
      return E.left(lacks(`${where}: answered ${answer.statusCode}`, answer.statusCode))
    } catch (error) {
      return E.left(unreachable(`${where}: ${reasonOf(error)}`))
    }
  }

  const verified = async (path: string, expected: PromisedTrack): Promise<E.Either<PeerError, HashedBytes>> => {
    const answer = await get(path, Math.min(expected.bytes, segmentBytesMax))
    return E.isLeft(answer) ? answer : check(`${ref.id} ${path}`, answer.right.bytes, expected.sha256, expected.bytes)
  }

  return {
    ref,
    async manifest(after = null, from = 0) {
      const path = `${root}/manifest.json?from=${from}${after === null ? '' : `&after=${after}`}`
      const answer = await get(path, manifestBytesMax, after === null ? 0 : longPollMsMax)
      return E.isLeft(answer) ? answer : parseManifest(`${ref.id} ${path}`, stream, answer.right.bytes)
    },
    track: (number, track, expected) => verified(`${root}/${track}/${number}.m4s`, expected),
    async init(expected) {
      const [video, audio, combined] = await Promise.all([
        verified(`${root}/video/init.mp4`, expected.video),
        verified(`${root}/audio/init.mp4`, expected.audio),
        get(`${root}/init.mp4`, initBytesMax),
      ])
      if (E.isLeft(video)) return video
      if (E.isLeft(audio)) return audio
      if (E.isLeft(combined)) return combined
      const promised = combined.right.etag?.replaceAll('"', '') ?? ''
      const whole = check(`${ref.id} ${root}/init.mp4`, combined.right.bytes, promised, combined.right.bytes.length)
      return E.isLeft(whole) ? whole : E.right({ video: video.right, audio: audio.right, combined: whole.right })
    },
    async alive(timeoutMsMax) {
      try {
        const answer = await pool.request({
          method: 'GET',
          path: `${base.pathname.replace(/\/$/, '')}/healthz`,
          headersTimeout: timeoutMsMax,
          signal: AbortSignal.any([AbortSignal.timeout(timeoutMsMax), closed.signal]),
        })
        await answer.body.dump()
        return answer.statusCode === 200
      } catch {
        return false
      }
    },
    close() {
      closed.abort()
      pool.destroy().catch(() => undefined)
    },
  }
}

interface Fetched {
  readonly bytes: Uint8Array
  readonly etag: string | null
}

const check = (where: string, bytes: Uint8Array, sha256: string, length: number): E.Either<PeerError, HashedBytes> => {
  if (bytes.length !== length) return E.left(wrong(`${where}: ${bytes.length} bytes instead of ${length}`))
  const found = hashed(bytes)
  if (found.sha256 === sha256) return E.right(found)
  return E.left(wrong(`${where}: SHA-256 is ${found.sha256.slice(0, 12)}..., promised was ${sha256.slice(0, 12)}...`))
}

const parseManifest = (where: string, stream: string, bytes: Uint8Array): E.Either<PeerError, Manifest> => {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return E.left(wrong(`${where}: not JSON`))
  }
  const manifest = Manifest.decode(parsed)
  if (E.isLeft(manifest)) return E.left(wrong(`${where}: ${describeErrors(manifest.left)}`))
  if (manifest.right.stream !== stream) return E.left(wrong(`${where}: is about ${manifest.right.stream}`))
  return manifest
}

/** By shape: errors of Node's own modules may come from another realm. */
const reasonOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code} ` : ''
  return `${code}${'message' in error ? String(error.message) : ''}`.trim()
}
