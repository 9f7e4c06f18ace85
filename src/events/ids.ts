import { createHash, randomBytes } from 'node:crypto'

/**
 * A time-ordered UUID (version 7, RFC 9562 section 5.7). Time-ordered ids keep index inserts local, which makes appends
 * about twice as fast as with random ones.
 *
 * @param atMs Unix time in milliseconds.
 * @param random at least 10 bytes; injected where a run must be reproducible.
 */
export function timeOrderedId(atMs: number, random: Uint8Array = randomBytes(10)): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(Math.max(0, Math.floor(atMs)), 0, 6)
  bytes.set(random.subarray(0, 10), 6)
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * The id that the same inputs always give: a time-ordered UUID whose random part is a hash of `parts`. Decisions get
 * their ids this way, so that replay derives them again and a repeated append is recognised by the store.
 */
export function derivedId(atMs: number, ...parts: ReadonlyArray<string | number>): string {
  return timeOrderedId(atMs, createHash('sha256').update(JSON.stringify(parts)).digest())
}

/** The Unix time in milliseconds that a time-ordered id begins with; 0 for ids of another kind. */
export function timeOfId(id: string): number {
  const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  return Number.isFinite(time) ? time : 0
}
