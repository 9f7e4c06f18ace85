import * as E from 'fp-ts/lib/Either.js'
import { decodeEvent, streamIdOf } from '../../events/index.js'
import { entityOf, type DossierProof, type StreamPart } from './records.js'
import type { DossierView } from './view.js'

/**
 * What a dossier would have to hold and does not. Proven events alone are not enough: with some of them left out, the
 * others tell another story.
 */
export function missingIn(proof: DossierProof, view: DossierView): ReadonlyArray<string> {
  const { handover, parts } = proof
  const stream = streamIdOf('stream', entityOf(handover))
  const main = parts.find((part) => part.stream === stream)
  const problems = repeatedIn(parts).map((each) => `${each} is in the file twice`)
  if (main === undefined) return [...problems, `the events of ${stream} are not in the file`]
  const { record } = view
  if (record === null) return [...problems, `the events of ${stream} in the file do not hold handover ${handover}`]
  if (record.outcome === 'under-way' && main.after.length > 0) {
    problems.push(`the file does not tell how the handover went on: ${main.after.length} later events are left out`)
  }
  const origin = streamIdOf('server', record.from.id)
  if (!parts.some((part) => part.stream === origin && part.events.length > 0)) {
    problems.push(`the events of ${origin}, which was left, are not in the file`)
  }
  const strangers = parts.filter((part) => part.stream.startsWith('client-') && !isViewerOf(record.stream, part))
  return [...problems, ...strangers.map((part) => `${part.stream} is not shown to be a viewer of ${record.stream}`)]
}

function repeatedIn(parts: ReadonlyArray<StreamPart>): ReadonlyArray<string> {
  const names = parts.map(({ stream }) => stream)
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
}

function isViewerOf(stream: string, { events: [first] }: StreamPart): boolean {
  const decoded = first === undefined ? null : decodeEvent('client', first)
  if (decoded === null || E.isLeft(decoded)) return false
  return decoded.right.type === 'ClientConnected' && decoded.right.data.stream === stream
}
