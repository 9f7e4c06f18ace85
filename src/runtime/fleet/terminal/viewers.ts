import type { ViewerReport } from '../../process/supervision.js'
import { grouped, seconds, shortTime } from '../../amounts.js'
import { cell, span, type Glyphs, type Line, type Tone } from './text.js'

/** More viewers than these are shown as one line for each stream. */
const singleMax = 4

interface Row {
  readonly name: string
  readonly server: string
  readonly number: number | null
  readonly bufferMs: number
  readonly totals: ViewerReport['totals']
}

const headings = [
  `${cell('VIEWER', 12)}${cell('FROM', 6)}`,
  cell('AT SEGMENT', 14, 'right'),
  cell('SEEN', 7, 'right'),
  cell('GAPS', 6, 'right'),
  cell('DOUBLE', 8, 'right'),
  cell('DAMAGED', 9, 'right'),
  cell('STALLS', 8, 'right'),
  cell('', 9),
  cell('BUFFER', 8, 'right'),
  cell('LATENCY', 9, 'right'),
].join('')

export function viewerLines(viewers: ReadonlyArray<ViewerReport>, glyphs: Glyphs): Line[] {
  const rows = viewers.length > singleMax ? perStream(viewers) : viewers.map(rowOf)
  const none: Line[] = rows.length === 0 ? [[span('   none has begun yet', 'dim')]] : []
  return [[span(` ${headings}`, 'dim')], ...rows.map((row) => rowLine(row, glyphs)), ...none]
}

const rowOf = ({ session, stream, server, number, bufferMs, totals }: ViewerReport): Row => ({
  name: `${stream} ${viewerNumber(session)}`,
  server: server ?? '',
  number,
  bufferMs,
  totals,
})

/** Sessions are numbered from 0 at the end of their names. */
const viewerNumber = (session: string): number => Number(session.slice(session.lastIndexOf('-') + 1)) + 1

/** One row for all viewers of a stream: sums of what went wrong, the worst of the rest. */
function perStream(viewers: ReadonlyArray<ViewerReport>): ReadonlyArray<Row> {
  const streams = [...new Set(viewers.map((viewer) => viewer.stream))]
  return streams.map((stream) => {
    const mine = viewers.filter((viewer) => viewer.stream === stream)
    const total = (pick: (totals: ViewerReport['totals']) => number): number =>
      mine.reduce((sum, { totals }) => sum + pick(totals), 0)
    const numbers = mine.flatMap(({ number }) => (number === null ? [] : [number]))
    return {
      name: `${stream} (${mine.length})`,
      server: [...new Set(mine.flatMap(({ server }) => server ?? []))].join(' '),
      number: numbers.length === 0 ? null : Math.min(...numbers),
      bufferMs: Math.min(...mine.map((viewer) => viewer.bufferMs)),
      totals: {
        segments: total((each) => each.segments),
        gaps: total((each) => each.gaps),
        duplicates: total((each) => each.duplicates),
        hashMismatches: total((each) => each.hashMismatches),
        stalls: total((each) => each.stalls),
        stallMs: total((each) => each.stallMs),
        bufferMsMax: Math.max(...mine.map(({ totals }) => totals.bufferMsMax)),
        latencyMs: Math.max(...mine.map(({ totals }) => totals.latencyMs)),
      },
    }
  })
}

function rowLine({ name, server, number, bufferMs, totals }: Row, glyphs: Glyphs): Line {
  const count = (value: number, width: number) => span(cell(String(value), width, 'right'), toneOf(value))
  return [
    span(` ${cell(name, 11)} `, 'bold'),
    span(cell(server, 6)),
    span(cell(number === null ? glyphs.dot : grouped(number), 14, 'right')),
    span(cell(String(totals.segments), 7, 'right')),
    count(totals.gaps, 6),
    count(totals.duplicates, 8),
    count(totals.hashMismatches, 9),
    count(totals.stalls, 8),
    span(cell(totals.stalls === 0 ? '' : ` ${shortTime(totals.stallMs)}`, 9), 'dim'),
    span(cell(seconds(bufferMs, 2), 8, 'right')),
    span(cell(seconds(totals.latencyMs, 2), 9, 'right')),
  ]
}

const toneOf = (count: number): Tone => (count === 0 ? 'good' : 'bad')
