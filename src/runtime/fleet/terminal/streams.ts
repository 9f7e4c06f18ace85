import type { BufferStatus, StreamStatus } from '../../control/status.js'
import { grouped, plural } from '../../amounts.js'
import { cell, span, type Glyphs, type Line, type Span } from './text.js'

const bufferBarWidth = 16
/** More streams than these are shown with one line each. */
const detailedMax = 2

export interface StreamLinesOptions {
  readonly streams: ReadonlyArray<StreamStatus>
  readonly bufferSegments: number
  readonly glyphs: Glyphs
}

/** main, main-2, main-10 in this order. */
const byName = (a: StreamStatus, b: StreamStatus): number => a.id.localeCompare(b.id, 'en', { numeric: true })

export function streamLines(given: StreamLinesOptions): Line[] {
  const options = { ...given, streams: given.streams.toSorted(byName) }
  const { streams } = options
  if (streams.length === 0) return [[span(' STREAM  ', 'dim'), span('none is on air yet', 'dim')]]
  if (streams.length > detailedMax) return compactLines(options)
  return streams.flatMap((stream) => detailedLines(stream, options))
}

function detailedLines(stream: StreamStatus, { bufferSegments, glyphs }: StreamLinesOptions): Line[] {
  const head: Line = [
    span(' STREAM  ', 'dim'),
    span(stream.id, 'bold'),
    span(`   epoch ${stream.epoch}`),
    span(stream.cutover > 0 ? ` since segment ${grouped(stream.cutover)}` : '', 'dim'),
    span(stream.live === null ? '' : `   live ${grouped(stream.live)}`),
    ...(stream.handover === null ? [] : [span(`   ${stream.handover.id}: ${stream.handover.phase}`, 'accent')]),
  ]
  const primary = roleLine('primary', stream.primary?.id ?? null, stream, bufferSegments, glyphs)
  const standby = roleLine('standby', stream.standby?.id ?? null, stream, bufferSegments, glyphs)
  return [head, primary, standby]
}

function roleLine(
  role: 'primary' | 'standby',
  server: string | null,
  { buffers, live }: StreamStatus,
  bufferSegments: number,
  glyphs: Glyphs,
): Line {
  const label = span(`   ${role}  `, 'dim')
  if (server === null) return [label, span(role === 'standby' ? 'none' : 'not placed yet', 'caution')]
  const buffer = buffers.find((each) => each.server === server)
  if (buffer === undefined) return [label, span(cell(server, 10), 'bold'), span('does not answer', 'caution')]
  const verified = role === 'standby' ? [span(`, ${buffer.verified} verified`, allVerified(buffer))] : []
  return [
    label,
    span(cell(server, 10), 'bold'),
    ...bufferBar(buffer, role, bufferSegments, glyphs),
    span(cell(plural(buffer.segments, 'segment'), 13, 'right')),
    ...verified,
    span(buffer.encoding ? '   encoding' : '   not encoding', buffer.encoding ? 'plain' : 'dim'),
    ...lagOf(buffer, role, live),
  ]
}

const allVerified = ({ verified, segments }: BufferStatus): 'good' | 'plain' =>
  segments > 0 && verified >= segments - 1 ? 'good' : 'plain'

/** What is verified is drawn first, then what is only there, then what is missing. A primary is its own measure. */
function bufferBar(buffer: BufferStatus, role: 'primary' | 'standby', bufferSegments: number, glyphs: Glyphs): Span[] {
  const columns = (count: number): number =>
    Math.round((Math.min(count, bufferSegments) / Math.max(1, bufferSegments)) * bufferBarWidth)
  const held = columns(buffer.segments)
  const sure = role === 'primary' ? held : Math.min(held, columns(buffer.verified))
  return [
    span(glyphs.full.repeat(sure), 'good'),
    span(glyphs.full.repeat(held - sure), 'caution'),
    span(glyphs.empty.repeat(bufferBarWidth - held), 'dim'),
  ]
}

function lagOf(buffer: BufferStatus, role: 'primary' | 'standby', live: number | null): Span[] {
  if (role === 'primary' || live === null || buffer.live === null) return []
  const behind = live - buffer.live
  if (behind <= 1) return [span('   level', 'good')]
  return [span(`   ${behind} behind`, behind > 4 ? 'caution' : 'dim')]
}

function compactLines({ streams, glyphs }: StreamLinesOptions): Line[] {
  const heading = span(
    ` ${cell('STREAM', 12)}EPOCH         LIVE  ${cell('PRIMARY', 14)}${cell('STANDBY', 14)}VERIFIED  HANDOVER`,
    'dim',
  )
  return [[heading], ...streams.map((stream) => compactLine(stream, glyphs))]
}

function compactLine(stream: StreamStatus, glyphs: Glyphs): Line {
  const holding = (server: string | undefined): BufferStatus | undefined =>
    stream.buffers.find((buffer) => buffer.server === server)
  const side = (server: string | undefined): string =>
    server === undefined ? 'none' : `${cell(server, 8)} ${holding(server)?.segments ?? '?'}`
  return [
    span(` ${cell(stream.id, 12)}`, 'bold'),
    span(cell(String(stream.epoch), 5, 'right')),
    span(cell(stream.live === null ? glyphs.dot : grouped(stream.live), 13, 'right')),
    span(`  ${cell(side(stream.primary?.id), 14)}`),
    span(cell(side(stream.standby?.id), 14), stream.standby === null ? 'caution' : 'plain'),
    span(cell(String(holding(stream.standby?.id)?.verified ?? 0), 8, 'right')),
    span(
      `  ${stream.handover === null ? glyphs.dot : stream.handover.phase}`,
      stream.handover === null ? 'dim' : 'accent',
    ),
  ]
}
