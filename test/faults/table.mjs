// The table of results in docs/reliability.md. Each run replaces the rows of the cells that it has played.
import { readFile, writeFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'

const marks = { begin: '<!-- faults: begin -->', end: '<!-- faults: end -->' }
const head = [
  '| cell | what happens | begins with step | stall ms | gaps / duplicates / mismatches | events lost / doubled | recovered after s | handovers | held |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
]

const seconds = (ms) => (ms === null ? 'not' : (ms / 1000).toFixed(1))

export function rowOf({ cell, what, when, viewer, lost, doubled, recoveryMs, handovers, held, findings }) {
  const { stallMs, gaps, duplicates, hashMismatches } = viewer
  const ends = handovers.map((end) => end.replace(/ \(.*\)$/, ''))
  const columns = [
    `\`${cell}\``,
    what,
    when,
    stallMs,
    `${gaps} / ${duplicates} / ${hashMismatches}`,
    `${lost} / ${doubled}`,
    seconds(recoveryMs),
    ends.length === 0 ? '-' : ends.join(', '),
    held ? 'yes' : `no: ${findings.join('; ')}`.replaceAll('|', '/').slice(0, 300),
  ]
  return `| ${columns.join(' | ')} |`
}

const nameIn = (row) => /^\| *`([^`]+)`/.exec(row)?.[1]

/** Puts results into the document: rows of other cells stay, those of cells that no longer exist go. */
export async function writeTable(path, names, results) {
  const text = await readFile(path, 'utf8')
  const [before, rest] = text.split(marks.begin)
  const [table, after] = rest?.split(marks.end) ?? []
  if (after === undefined) throw new Error(`${path} has no place for the table: ${marks.begin} ... ${marks.end}`)
  const rows = new Map(
    table
      .split('\n')
      .filter((line) => nameIn(line) !== undefined)
      .map((line) => [nameIn(line), line]),
  )
  for (const result of results.filter(({ skipped }) => skipped === undefined)) rows.set(result.cell, rowOf(result))
  const lines = [...head, ...names.flatMap((name) => rows.get(name) ?? [])]
  const written = [before, marks.begin, '\n\n', lines.join('\n'), '\n\n', marks.end, after].join('')
  const options = await resolveConfig(path)
  await writeFile(path, await format(written, { ...options, parser: 'markdown' }))
}
