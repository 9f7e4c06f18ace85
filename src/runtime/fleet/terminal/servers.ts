import type { ServerStatus } from '../../control/status.js'
import { percent } from '../../amounts.js'
import { bar, cell, span, type Glyphs, type Line, type Tone } from './text.js'

const standingTone: Readonly<Record<ServerStatus['standing'], Tone>> = {
  stable: 'good',
  watch: 'caution',
  unstable: 'bad',
  failed: 'bad',
  draining: 'caution',
}

const headings = (barWidth: number): Line => [
  span(` ${cell('SERVER', 8)}${cell('STABILITY', barWidth)}`, 'dim'),
  span('  SCORE  LIMIT   RISK  MEMORY   CPU  PRIMARY  STANDBY  STATE', 'dim'),
]

/** Width that the bar takes beyond its least, where the terminal has room. */
const barWidthFor = (columns: number): number => Math.max(8, Math.min(30, columns - 84))

export function serverLines(servers: ReadonlyArray<ServerStatus>, columns: number, glyphs: Glyphs): Line[] {
  const barWidth = barWidthFor(columns)
  if (servers.length === 0) return [headings(barWidth), [span('   none has joined yet', 'dim')]]
  return [headings(barWidth), ...servers.map((server) => serverLine(server, barWidth, glyphs))]
}

function serverLine(server: ServerStatus, barWidth: number, glyphs: Glyphs): Line {
  const { score, threshold, risk, memoryRatio, cpuCores, standing, primaries, roles } = server
  const gone = standing === 'failed'
  const scoreTone: Tone = gone ? 'dim' : score < threshold ? 'bad' : score < threshold + 10 ? 'caution' : 'good'
  const number = (text: string | null, width: number, tone: Tone = 'plain') =>
    span(cell(gone ? '' : (text ?? glyphs.dot), width, 'right'), tone)
  return [
    span(` ${cell(server.id, 8)}`, gone ? 'dim' : 'bold'),
    ...bar(gone ? 0 : score / 100, barWidth, glyphs, scoreTone),
    number(score.toFixed(1), 7, scoreTone),
    number(threshold.toFixed(0), 7, 'dim'),
    number(risk === null ? null : percent(risk), 7, risk !== null && risk >= 0.5 ? 'bad' : 'plain'),
    number(memoryRatio === null ? null : percent(memoryRatio), 8, memoryTone(memoryRatio)),
    number(cpuCores === null ? null : cpuCores.toFixed(2), 6),
    number(String(primaries), 9, primaries > 0 ? 'plain' : 'dim'),
    number(String(roles - primaries), 9, roles > primaries ? 'plain' : 'dim'),
    span('  '),
    ...stateOf(server),
  ]
}

const memoryTone = (ratio: number | null): Tone =>
  ratio === null || ratio < 0.7 ? 'plain' : ratio < 0.85 ? 'caution' : 'bad'

function stateOf({ standing, timeToLimitMs }: ServerStatus): Line {
  const state = span(standing, standingTone[standing])
  if (timeToLimitMs === null || standing === 'failed' || timeToLimitMs > 99_000) return [state]
  return [state, span(`, ${Math.round(timeToLimitMs / 1000)} s left`, 'dim')]
}
