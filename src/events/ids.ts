import * as crypto from 'node:crypto'
import { digest } from './sha256.js'

/**
 * A time-ordered UUID (version 7, RFC 9562 section 5.7). Time-ordered ids keep index inserts local, which makes appends
 * about twice as fast as with random ones.
 *
 * @param atMs Unix time in milliseconds.
 * @param random at least 10 bytes; injected where a run must be reproducible.
 */
export function timeOrderedId(atMs: number, random: Uint8Array = crypto.randomBytes(10)): string {
  return idOf(atMs, Buffer.from(random.buffer, random.byteOffset, 10).toString('hex'))
}

/**
 * The id that the same inputs always give: a time-ordered UUID whose random part is a hash of `parts`. Decisions get
 * their ids this way, so that replay derives them again and a repeated append is recognised by the store.
 */
export function derivedId(atMs: number, ...parts: ReadonlyArray<string | number>): string {
  return idOf(atMs, digest(JSON.stringify(parts), 'hex'))
}

/** @param random at least 20 hex digits; some bits give way to the version (7) and the variant (binary 10). */
function idOf(atMs: number, random: string): string {
  const time = timeInHex(atMs)
  const variant = variants[parseInt(random.charAt(4), 16) & 3] ?? '8'
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${random.slice(1, 4)}-${variant}${random.slice(5, 8)}-${random.slice(8, 20)}`
}

let newest = { atMs: 0, hex: '000000000000' }

/** Ids of one moment come one after the other: the newest time is remembered. */
function timeInHex(atMs: number): string {
  if (newest.atMs !== atMs) newest = { atMs, hex: Math.max(0, Math.floor(atMs)).toString(16).padStart(12, '0') }
  return newest.hex
}

const variants = ['8', '9', 'a', 'b']

/** The Unix time in milliseconds that a time-ordered id begins with; 0 for ids of another kind. */
export function timeOfId(id: string): number {
  const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  return Number.isFinite(time) ? time : 0
}
