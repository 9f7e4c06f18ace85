import { clockText, plural, seconds, timeOfDay } from '../../amounts.js'
import { handoverLines } from './handovers.js'
import { modelLines } from './model.js'
import { serverLines } from './servers.js'
import { streamLines } from './streams.js'
import { fit, paint, span, widthOf, type Glyphs, type Line, type Palette } from './text.js'
import { viewerLines } from './viewers.js'
import type { FleetView } from './view.js'

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

const blank: Line = []
const notesMax = 4
const handoverRowsMin = 3

/**
 * Draws the whole screen: at most `rows` lines of less than `columns` columns (in the last one, terminals differ in what
 * clearing the rest of a line takes away). Pure.
 */
export function renderScreen(
  view: FleetView,
  { columns, rows }: ScreenSize,
  glyphs: Glyphs,
  palette: Palette,
): ReadonlyArray<string> {
  const { status } = view
  const above = [
    headLine(view, columns),
    ...staleLines(view),
    blank,
    ...serverLines(status?.servers ?? [], columns, glyphs),
    ...modelLines(status?.model ?? null),
    blank,
    ...streamLines({ streams: status?.streams ?? [], bufferSegments: view.bufferSegments, glyphs }),
    blank,
  ]
  const viewers = [...viewerLines(view.viewers, glyphs), blank]
  const foot: Line[] = [footLine(view, glyphs)]
  const fixed = above.length + viewers.length + foot.length + 1
  const notes = noteLines(view, Math.max(1, Math.min(notesMax, rows - fixed - handoverRowsMin)))
  const room = Math.max(1, rows - fixed - notes.length)
  const handovers = handoverLines(status?.handovers ?? [], { rows: room, predict: view.predict, glyphs })
  const lines = [...above, ...handovers, blank, ...viewers, ...notes]
  const shown = lines.slice(0, Math.max(0, rows - foot.length))
  return [...shown, ...foot].map((line) => paint(fit(line, columns - 1), palette))
}

function headLine(view: FleetView, columns: number): Line {
  const left: Line = [
    span(' segue', 'bold'),
    span(`  ${clockText(view.at - view.startedAt)}`, 'accent'),
    span(
      `   ${plural(view.servers, 'server')}, ${view.standby} standby, prediction ${view.predict ? 'on' : 'off'}`,
      'dim',
    ),
    ...(view.phase === 'running' ? [] : [span(`   ${view.phase}`, 'accent')]),
  ]
  const url = view.controlUrl ?? ''
  const gap = columns - widthOf(left) - url.length - 1
  return gap < 1 ? left : [...left, span(' '.repeat(gap)), span(url, 'dim')]
}

function staleLines({ staleMs }: FleetView): Line[] {
  if (staleMs === null) return []
  return [[span(` the control plane has not answered for ${seconds(staleMs)}; below is what it said last`, 'caution')]]
}

const noteLines = ({ notes }: FleetView, room: number): Line[] =>
  notes.slice(-room).map(({ at, text, tone }) => [span(` ${timeOfDay(at)}  `, 'dim'), span(text, tone)])

function footLine({ phase, dataDir, status }: FleetView, glyphs: Glyphs): Line {
  const end = phase === 'ending' ? 'ending' : 'Ctrl-C ends'
  const events = status === null ? '' : ` ${glyphs.dot} ${plural(status.events, 'event')}`
  return [span(` ${end}${events} ${glyphs.dot} ${dataDir}`, 'dim')]
}
