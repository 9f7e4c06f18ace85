import { archivedLine } from '../runtime/logs/verdictLines.js'
import type { AuditCheck, AuditResult, Finding } from '../projections/index.js'

const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en').replaceAll(',', ' ')} ${n === 1 ? one : many}`

/** What each check has looked at, for people. */
function scopeOf(check: AuditCheck, { events, streams, archives, ledger, replay }: AuditResult): string {
  switch (check) {
    case 'ledger':
      return `${count(ledger.checkpoints, 'checkpoint')}${ledger.cuts > 0 ? `, ${count(ledger.cuts, 'cut')}` : ''}, each names the one before`
    case 'signatures':
      return ledger.keys.length === 0
        ? 'none'
        : `Ed25519, ${ledger.keys.length === 1 ? 'key' : 'keys'} ${ledger.keys.join(', ')}`
    case 'chain':
      return `${count(events, 'event')} in ${count(streams, 'event stream')}, as they were signed`
    case 'archive':
      return `${count(archives, 'archive')}, the files that the signed cuts name`
    case 'authority':
      return 'one epoch for each segment; epochs and K only rise'
    case 'playback':
      return 'no gap, no duplicate, no other bytes was measured'
    case 'once':
      return 'no event stands in the log twice'
    case 'replay':
      return `${count(replay.decisions, 'decision')} from ${count(replay.facts, 'fact')}, derived again byte for byte`
    case 'endings':
      return 'every handover ends within its deadlines'
  }
}

const titles: { readonly [C in AuditCheck]: string } = {
  ledger: 'ledger',
  signatures: 'signatures',
  chain: 'hash chains',
  archive: 'archives',
  authority: '1 authority',
  playback: '2 playback',
  once: '3 once',
  replay: '4 replay',
  endings: '5 endings',
}

/** The result of an audit, one line a check, the findings below it. */
export function auditLines(where: string, result: AuditResult): ReadonlyArray<string> {
  const { findings, ledger } = result
  const lines = [`${where}: ${count(result.events, 'event')}`]
  for (const check of Object.keys(titles) as ReadonlyArray<AuditCheck>) {
    const found = findings.filter((finding) => finding.check === check)
    if (check === 'archive' && result.archives === 0) continue
    lines.push(`  ${found.length === 0 ? '✔' : '✘'} ${titles[check].padEnd(12)} ${scopeOf(check, result)}`)
    for (const finding of found) lines.push(`      ${placeOf(finding)}: ${finding.message}`)
  }
  lines.push(...result.replay.archived.map(archivedLine))
  const { last, unsigned } = ledger
  if (last !== null) {
    const rest = unsigned === 0 ? 'nothing is newer' : `${count(unsigned, 'newer event')} not signed yet`
    lines.push(`last checkpoint ${last.sequence} at ${new Date(last.at).toISOString()}; ${rest}`)
  }
  const [first] = findings
  lines.push(
    first === undefined
      ? 'Sound: nothing was changed, and what must always hold held.'
      : `Not sound. First: ${placeOf(first)}.`,
  )
  return lines
}

export const placeOf = ({ streamId, revision }: Finding): string =>
  revision === null ? streamId : `${streamId}, event ${revision}`
