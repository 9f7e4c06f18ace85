import type { ReplayVerdict } from '../../projections/index.js'
import { plural } from '../amounts.js'

/** The verdict of a replay, and the first difference if there is one. */
export function replayLines(verdict: ReplayVerdict): string[] {
  return [...verdictLines(verdict), ...verdict.archived.map(archivedLine)]
}

/** Says of a stream that its older events were not there to be looked at. */
export const archivedLine = ({ streamId, before }: ReplayVerdict['archived'][number]): string =>
  `  ${streamId}: archived before event ${before}, and not looked at there; --archive DIR adds it`

function verdictLines({ decisions, facts, streams, identical, difference, unreadable }: ReplayVerdict): string[] {
  const scope = `${plural(decisions, 'decision')} from ${plural(facts, 'fact')} in ${plural(streams, 'event stream')}`
  if (identical) return [`replay: ${scope}: identical`]
  if (unreadable !== null) return [`replay: ${scope}: stopped at an event that cannot be understood`, `  ${unreadable}`]
  if (difference === null) return [`replay: ${scope}: not identical`]
  const { streamId, revision, fact, recorded, derived } = difference
  return [
    `replay: ${scope}: differs at ${streamId}, revision ${revision}`,
    `  after fact ${fact.type} ${fact.id}, revision ${fact.revision}`,
    `  facts:    ${fact.data}`,
    `  recorded: ${recorded ?? 'nothing'}`,
    `  derived:  ${derived ?? 'nothing'}`,
  ]
}
