import type { Readable } from 'node:stream'
import * as E from 'fp-ts/lib/Either.js'
import { Pool } from 'undici'
import { describeErrors, type ServerRef } from '../../events/index.js'
import { Manifest } from '../../messaging/index.js'
import { hashed, type HashedBytes } from '../buffer/index.js'
import { renditionsMax, soundsMax } from '../format.js'
import { segmentBytesMax } from '../fmp4/index.js'
import { tracksOf, type PerTrack, type TrackName } from '../segment.js'
import { lacks, unreachable, wrong, type PeerError } from './errors.js'

/** What a manifest promises about one track of a segment. */
export type PromisedTrack = Manifest['segments'][number]['video']

export interface CopiedInit extends PerTrack<HashedBytes> {
  readonly combined: HashedBytes
}

/** All tracks of a number. */
export interface CopiedSegment extends PerTrack<HashedBytes> {
  /** SHA-256 of the combined init segment that the peer has now. */
  readonly init: string
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
  readonly track: (
    number: number,
    track: TrackName,
    expected: PromisedTrack,
  ) => Promise<E.Either<PeerError, HashedBytes>>
  /** All tracks of a number in one answer, checked against what it promises; waits for a number that is about to come. */
  readonly pair: (number: number) => Promise<E.Either<PeerError, CopiedSegment>>
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
/** What a stream has at most. */
const tracksMax = renditionsMax + soundsMax
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
  const get = async (path: string, bytesMax: number, extraMs = 0): Promise<E.Either<PeerError, Fetched>> => {
    const where = `${ref.id} ${path}`
    // One timer, and none of the signals that would have to be joined with it: this runs for every segment.
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), totalMsMax + extraMs)
    try {
      const answer = await pool.request({
        method: 'GET',
        path,
        headers: { 'segue-peer': asker },
        headersTimeout: timeoutMs + extraMs,
        bodyTimeout: timeoutMs,
        signal: limit.signal,
      })
      const bytes = await collect(answer.body, bytesMax)
      if (bytes === null) return E.left(wrong(`${where}: more than the ${bytesMax} bytes that were promised`))
      if (answer.statusCode === 200) return E.right({ bytes, header: (name) => textOf(answer.headers[name]) })
      return E.left(lacks(`${where}: answered ${answer.statusCode}`, answer.statusCode))
    } catch (error) {
      return E.left(unreachable(`${where}: ${reasonOf(error)}`))
    } finally {
      clearTimeout(timer)
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
    async pair(number) {
      const path = `${root}/pairs/${number}`
      const answer = await get(path, tracksMax * segmentBytesMax, longPollMsMax)
      return E.isLeft(answer) ? answer : readPair(`${ref.id} ${path}`, answer.right)
    },
    async init(expected) {
      const [tracks, combined] = await Promise.all([
        everyTrack(expected, (promised, name) => verified(`${root}/${name}/init.mp4`, promised)),
        get(`${root}/init.mp4`, initBytesMax),
      ])
      if (E.isLeft(tracks)) return tracks
      if (E.isLeft(combined)) return combined
      const promised = combined.right.header('etag').replaceAll('"', '')
      const whole = check(`${ref.id} ${root}/init.mp4`, combined.right.bytes, promised, combined.right.bytes.length)
      return E.isLeft(whole) ? whole : E.right({ ...tracks.right, combined: whole.right })
    },
    async alive(timeoutMsMax) {
      try {
        const answer = await pool.request({
          method: 'GET',
          path: `${base.pathname.replace(/\/$/, '')}/healthz`,
          headersTimeout: timeoutMsMax,
          signal: AbortSignal.timeout(timeoutMsMax),
        })
        await answer.body.dump()
        return answer.statusCode === 200
      } catch {
        return false
      }
    },
    close() {
      pool.destroy().catch(() => undefined)
    },
  }
}

interface Fetched {
  readonly bytes: Uint8Array
  /** Empty when it was not sent, or several times. */
  readonly header: (name: string) => string
}

const textOf = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '')

/** Null: there were more than allowed. */
const collect = (body: Readable, bytesMax: number): Promise<Uint8Array | null> =>
  new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    body.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      chunks.push(chunk)
      if (size <= bytesMax) return
      resolve(null)
      body.destroy()
    })
    body.on('end', () => {
      const [single] = chunks
      resolve(chunks.length === 1 && single !== undefined ? single : Buffer.concat(chunks))
    })
    body.on('error', reject)
    body.on('close', () => reject(new Error('the answer was broken off')))
  })

const promisePattern = /^([0-9a-f]{64}) (\d{1,9})$/

const promiseIn = (text: string | undefined): PromisedTrack | null => {
  const [, sha256, bytes] = promisePattern.exec(text ?? '') ?? []
  return sha256 === undefined ? null : { sha256, bytes: Number(bytes) }
}

/** `v360=<sha256> <bytes>`, with commas between. */
const otherPromises = (text: string): Readonly<Record<TrackName, PromisedTrack>> | null => {
  const found = text === '' ? [] : text.split(',').map((each) => each.trim().split('='))
  const promises = found.map(([name = '', promise]) => [name, promiseIn(promise)] as const)
  const whole = promises.flatMap(([name, promise]) => (promise === null ? [] : [[name, promise] as const]))
  return whole.length === promises.length ? Object.fromEntries(whole) : null
}

const readPair = async (where: string, { bytes, header }: Fetched): Promise<E.Either<PeerError, CopiedSegment>> => {
  const [video, audio] = [promiseIn(header('segue-video')), promiseIn(header('segue-audio'))]
  const others = otherPromises(header('segue-others'))
  if (video === null || audio === null || others === null) {
    return E.left(wrong(`${where}: does not say what it holds`))
  }
  let at = 0
  const last = Object.keys(others).at(-1) ?? 'audio'
  const tracks = await everyTrack({ video, audio, others }, (promised, name) => {
    const start = at
    at += promised.bytes
    const part = bytes.subarray(start, name === last ? bytes.length : at)
    return check(`${where} ${name}`, part, promised.sha256, promised.bytes)
  })
  return E.isLeft(tracks) ? tracks : E.right({ ...tracks.right, init: header('segue-init') })
}

/** Fetches or checks something for each track, `video` and `audio` first; the first failure is that of all. */
export const everyTrack = async (
  promised: PerTrack<PromisedTrack>,
  get: (
    promised: PromisedTrack,
    name: TrackName,
  ) => E.Either<PeerError, HashedBytes> | Promise<E.Either<PeerError, HashedBytes>>,
): Promise<E.Either<PeerError, PerTrack<HashedBytes>>> => {
  const found = await Promise.all(
    tracksOf(promised).map(async ([name, each]) => ({ name, bytes: await get(each, name) })),
  )
  const tracks = new Map<TrackName, HashedBytes>()
  for (const { name, bytes } of found) {
    if (E.isLeft(bytes)) return bytes
    tracks.set(name, bytes.right)
  }
  const [video, audio] = [tracks.get('video'), tracks.get('audio')]
  if (video === undefined || audio === undefined) return E.left(wrong('a track is missing'))
  tracks.delete('video')
  tracks.delete('audio')
  return E.right({ video, audio, others: Object.fromEntries(tracks) })
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
