import { canonicalJson } from '../canonicalJson.js'
import type { RecordedEvent } from '../envelope.js'
import { digest, sha256 } from '../sha256.js'
import { StoredEvent } from '../storedEvent.js'

// Every kind of hash begins with bytes of its own, so that none can be passed off as another (RFC 6962 section 2.1):
// 0x00 a leaf of the tree, 0x01 a node of it, 0x02 a link of a chain; an event begins with "{" and a stream with "segue".
const linkPrefix = Buffer.of(0x02)

export const hashBytes = 32

export const sha256Hex = (text: string): string => digest(text, 'hex')

/** What is hashed of an event: everything that a store gives back of it but its place in the whole log. */
export type ChainedEvent = Omit<RecordedEvent, 'position'>

/** The event as canonical JSON (RFC 8785) with the properties data, id, metadata, revision, schemaVersion, stream, type. */
export function eventText(event: ChainedEvent): string {
  const { data, id, metadata, revision, schemaVersion, streamId, type } = event
  // The same as canonicalJson of an object of these, written out because every event of a log passes here.
  return (
    `{"data":${canonicalJson(data ?? null)},"id":${canonicalJson(id)},"metadata":${canonicalJson(metadata)},` +
    `"revision":${revision},"schemaVersion":${schemaVersion},"stream":${canonicalJson(streamId)},"type":${canonicalJson(type)}}`
  )
}

/** SHA-256 of `eventText`. */
export const eventHash = (event: ChainedEvent): Buffer => digest(eventText(event), 'buffer')

/**
 * The hash of an event as its texts stand in the store, put in canonical order: that of `eventHash` where they are written
 * canonically, as all are that were ever appended, at a fraction of its cost. Nobody has looked whether they are: believe it
 * where it is the hash that the ledger has, and ask `eventHash` elsewhere. In the form of `binaryOf`; null: the store gave
 * no texts.
 */
export function storedHash(event: RecordedEvent): string | null {
  const bytes = StoredEvent.textInOrder(event)
  return bytes === null ? null : digest(bytes, 'binary')
}

/** A hash as a text of a character for each byte, the form in which many are compared quickest. */
export const binaryOf = (hash: Buffer): string => hash.toString('latin1')

/** What the chain of a stream begins with, before its first event. */
export const chainStart = (streamId: string): Buffer => sha256(`segue stream\n${streamId}`)

const link = Buffer.alloc(1 + 2 * hashBytes)
link.set(linkPrefix)

/** The chain's next value: SHA-256 of 0x02, the value before, and the event's hash. */
export function chainLink(before: Uint8Array, event: Uint8Array): Buffer {
  if (before.length !== hashBytes || event.length !== hashBytes) return sha256(linkPrefix, before, event)
  link.set(before, 1)
  link.set(event, 1 + hashBytes)
  return digest(link, 'buffer')
}

/** The same, in place: the value before stands in `chains` at `offset`, and the next one is put there. */
export function extendChain(chains: Uint8Array, offset: number, event: string): void {
  for (let index = 0; index < hashBytes; index += 1) {
    link[1 + index] = chains[offset + index] ?? 0
    link[1 + hashBytes + index] = event.charCodeAt(index)
  }
  const next = digest(link, 'binary')
  for (let index = 0; index < hashBytes; index += 1) chains[offset + index] = next.charCodeAt(index)
}

/**
 * How much of an event's hash the ledger keeps to say which event is wrong. What proves that all are right is the chain's
 * value at a checkpoint, in full; a mark that was hit by chance only makes the place of a fault less exact.
 */
export const markBytes = 6

export const markOf = (hash: Buffer): string => hash.toString('base64', 0, markBytes)

/** Revisions of a stream from `from` until before `until`, and the chain's value (hex) there. */
interface Stretch {
  readonly stream: string
  readonly from: number
  readonly until: number
  readonly chain: string
}

/** Whether two stretches hold the same events, by the chain's value. */
export const isSameStretch = (a: Stretch, b: Stretch): boolean =>
  a.stream === b.stream && a.from === b.from && a.until === b.until && a.chain === b.chain
