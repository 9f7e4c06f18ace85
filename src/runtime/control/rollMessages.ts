import { subjects, type IdRange, type RollCall, type RollCallPart } from '../../messaging/index.js'

/** Half of what a broker takes in its default configuration. */
const bytesMaxDefault = 512 * 1024
/** Of a message without servers and streams: its names, and two ranges of two ids each. */
const frameBytes = 1_024

export interface RollMessage {
  readonly subject: string
  readonly data: RollCall | RollCallPart
}

/** A roll call as messages that are short enough: one as ever, or parts that cover everything between them. */
export function rollMessages(call: RollCall, bytesMax = bytesMaxDefault): ReadonlyArray<RollMessage> {
  if (bytesOf(call) <= bytesMax) return [{ subject: subjects.roll, data: call }]
  const part = (data: RollCallPart): RollMessage => ({ subject: subjects.rollPart, data })
  return [
    ...chunksOf(call.servers, bytesMax - frameBytes).map(({ range, entries }) =>
      part({ servers: entries, streams: [], covers: { servers: range, streams: null } }),
    ),
    ...chunksOf(call.streams, bytesMax - frameBytes).map(({ range, entries }) =>
      part({ servers: [], streams: entries, covers: { servers: null, streams: range } }),
    ),
  ]
}

interface Chunk<Entry> {
  readonly range: IdRange
  readonly entries: ReadonlyArray<Entry>
}

/** In the order of ids; the ranges leave out nothing, so that whoever is in no chunk knows it. */
function chunksOf<Entry extends { readonly id: string }>(
  entries: ReadonlyArray<Entry>,
  bytesMax: number,
): ReadonlyArray<Chunk<Entry>> {
  const chunks: Entry[][] = [[]]
  let bytes = 0
  for (const entry of entries.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const own = bytesOf(entry) + 1
    if (bytes + own > bytesMax && bytes > 0) {
      chunks.push([])
      bytes = 0
    }
    bytes += own
    chunks.at(-1)?.push(entry)
  }
  const beginning = (index: number): string => (index === 0 ? '' : (chunks[index]?.[0]?.id ?? ''))
  return chunks.map((chunk, index) => ({
    range: { from: beginning(index), until: index + 1 < chunks.length ? beginning(index + 1) : null },
    entries: chunk,
  }))
}

const bytesOf = (value: object): number => Buffer.byteLength(JSON.stringify(value))
