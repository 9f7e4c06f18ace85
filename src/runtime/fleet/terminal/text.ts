/** How a piece of text is to look; what that means is the palette's business. */
export type Tone = 'plain' | 'dim' | 'bold' | 'good' | 'caution' | 'bad' | 'accent'

export interface Span {
  readonly text: string
  readonly tone: Tone
}

export type Line = ReadonlyArray<Span>

export const span = (text: string, tone: Tone = 'plain'): Span => ({ text, tone })

/** Turns tones into what a terminal understands. */
export type Palette = (text: string, tone: Tone) => string

const codes: Readonly<Record<Tone, string>> = {
  plain: '',
  dim: '2',
  bold: '1',
  good: '32',
  caution: '33',
  bad: '31',
  accent: '36',
}

/** ANSI colours of the terminal's own scheme. */
export const ansiPalette: Palette = (text, tone) =>
  codes[tone] === '' || text.trim() === '' ? text : `\u001b[${codes[tone]}m${text}\u001b[0m`

export const plainPalette: Palette = (text) => text

/** Everything that is drawn takes one column for each character: no wide ones are used. */
export const widthOf = (line: Line): number => line.reduce((width, { text }) => width + text.length, 0)

/** Cuts a line at `width` columns; the last column tells that something is missing. */
export function fit(line: Line, width: number, ellipsis = '…'): Line {
  if (widthOf(line) <= width) return line
  const kept: Span[] = []
  let left = width - ellipsis.length
  for (const { text, tone } of line) {
    if (left <= 0) break
    kept.push({ text: text.slice(0, left), tone })
    left -= text.length
  }
  return [...kept, span(ellipsis, 'dim')]
}

export const paint = (line: Line, palette: Palette): string =>
  line.map(({ text, tone }) => palette(text, tone)).join('')

/** Text in a field of its own: cut or filled to exactly `width` columns. */
export function cell(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  if (text.length > width) return width < 1 ? '' : `${text.slice(0, width - 1)}…`
  return align === 'left' ? text.padEnd(width) : text.padStart(width)
}

/** What bars and marks are drawn with. */
export interface Glyphs {
  readonly full: string
  readonly empty: string
  readonly rule: string
  readonly arrow: string
  readonly done: string
  readonly doing: string
  readonly failed: string
  readonly dot: string
}

export const unicodeGlyphs: Glyphs = {
  full: '█',
  empty: '░',
  rule: '─',
  arrow: '→',
  done: '✔',
  doing: '•',
  failed: '✘',
  dot: '·',
}

export const asciiGlyphs: Glyphs = {
  full: '#',
  empty: '.',
  rule: '-',
  arrow: '->',
  done: '+',
  doing: '*',
  failed: 'x',
  dot: '-',
}

/** A bar of `width` columns for a share of 0 to 1. */
export function bar(share: number, width: number, glyphs: Glyphs, tone: Tone): ReadonlyArray<Span> {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return [span(glyphs.full.repeat(full), tone), span(glyphs.empty.repeat(width - full), 'dim')]
}
