import type { RecordedEvent } from '../../envelope.js'
import { readStored } from '../../text/index.js'
import { positionOf } from '../position.js'

/**
 * What is selected of an event. Each column costs about as much as the parsing of fifty bytes does, whatever is in it, so the
 * short ones come as one text of lines. The stream's id is the last line, because it alone may hold a line feed.
 */
export const columns = `position, data, metadata,
  id || char(10) || type || char(10) || schema_version || char(10) || revision || char(10) || stream`

/** In the order of `columns`: rows as arrays are read twice as fast as objects. */
export type Row = readonly [position: number, data: string, metadata: string, lines: string]

interface Lines {
  readonly id: string
  readonly type: string
  readonly schemaVersion: number
  readonly revision: number
  readonly streamId: string
}

/** @throws SyntaxError for data or metadata that are no JSON */
export function eventOfRow([position, data, metadata, lines]: Row): RecordedEvent {
  const { id, type, schemaVersion, revision, streamId } = linesOf(lines)
  return readStored({ position: positionOf(position), streamId, revision, id, type, schemaVersion, data, metadata })
}

/** How somebody finds the event of a row. */
export function placeOfRow([, , , lines]: Row): string {
  const { streamId, revision } = linesOf(lines)
  return `${streamId}, event ${revision}`
}

function linesOf(lines: string): Lines {
  const first = lines.indexOf('\n')
  const second = lines.indexOf('\n', first + 1)
  const third = lines.indexOf('\n', second + 1)
  const fourth = lines.indexOf('\n', third + 1)
  return {
    id: lines.slice(0, first),
    type: remembered(lines.slice(first + 1, second)),
    schemaVersion: numberIn(lines, second + 1, third),
    revision: numberIn(lines, third + 1, fourth),
    streamId: remembered(lines.slice(fourth + 1)),
  }
}

function numberIn(text: string, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - zero
    if (!(digit >= 0 && digit <= 9)) return Number(text.slice(from, to))
    value = value * 10 + digit
  }
  return value
}

const zero = 48

// One and the same string for all events of a stream and of a type: what is looked up by it need not compare characters.
const names = new Map<string, string>()
const namesMax = 4_096

function remembered(name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  if (names.size === namesMax) names.clear()
  // A slice would keep the lines that it was cut from.
  const own = Buffer.from(name).toString()
  names.set(own, own)
  return own
}
