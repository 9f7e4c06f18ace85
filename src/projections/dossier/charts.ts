import { escaped } from '../markup.js'

/** A line of a chart: what it shows, in milliseconds and values. */
export interface Series {
  readonly title: string
  readonly unit: string
  readonly points: ReadonlyArray<readonly [atMs: number, value: number]>
  /** A level worth seeing, e.g. a limit. */
  readonly level?: { readonly value: number; readonly title: string }
  readonly max?: number
}

const width = 720
const height = 120
const left = 46
const right = 12
const bottom = 20

export const rounded = (value: number, digits = 1): string => String(Number(value.toFixed(digits)))

/** Seconds from the request, with a sign. */
export const seconds = (ms: number): string => `${ms < 0 ? '−' : '+'}${rounded(Math.abs(ms) / 1000, 2)} s`

/** One measurement over time as inline SVG, with a mark at the request. */
export function lineChart({ title, unit, points, level, max }: Series, from: number, until: number): string {
  if (points.length < 2) return ''
  const top = max ?? Math.max(...points.map(([, value]) => value), level?.value ?? 0, 1e-9) * 1.1
  const x = (ms: number): string => rounded(left + ((ms - from) / Math.max(1, until - from)) * (width - left - right))
  const y = (value: number): string => rounded(8 + (1 - Math.min(1, Math.max(0, value / top))) * (height - bottom - 8))
  const line = points.map(([ms, value], index) => `${index === 0 ? 'M' : 'L'}${x(ms)} ${y(value)}`).join('')
  const last = points.at(-1)
  const limit =
    level === undefined
      ? ''
      : `<line class="level" x1="${left}" x2="${width - right}" y1="${y(level.value)}" y2="${y(level.value)}"/>` +
        `<text x="${width - right}" y="${Number(y(level.value)) - 4}" text-anchor="end">${escaped(level.title)}</text>`
  return (
    `<figure><figcaption>${escaped(title)}${last === undefined ? '' : ` <small>last ${rounded(last[1], 2)} ${escaped(unit)}</small>`}</figcaption>` +
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">` +
    `<line class="axis" x1="${left}" x2="${width - right}" y1="${height - bottom}" y2="${height - bottom}"/>` +
    `<text x="${left - 6}" y="14" text-anchor="end">${rounded(top, 2)}</text><text x="${left - 6}" y="${height - bottom}" text-anchor="end">0</text>` +
    ticks(from, until, x) +
    (from < 0 && until > 0 ? `<line class="mark" x1="${x(0)}" x2="${x(0)}" y1="4" y2="${height - bottom}"/>` : '') +
    `${limit}<path class="line" d="${line}"/></svg></figure>`
  )
}

function ticks(from: number, until: number, x: (ms: number) => string): string {
  const steps = [1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000]
  const step = steps.find((each) => (until - from) / each <= 9) ?? 300_000
  let written = ''
  for (let at = Math.ceil(from / step) * step; at <= until; at += step) {
    written += `<text x="${x(at)}" y="${height - 5}" text-anchor="middle">${at === 0 ? 'request' : `${at / 1000} s`}</text>`
  }
  return written
}

/** The steps of a handover on one axis: a dot and its name each, the names one below the other. */
export function stepAxis(steps: ReadonlyArray<{ readonly name: string; readonly atMs: number | null }>): string {
  const reached = steps.flatMap(({ name, atMs }, index) => (atMs === null ? [] : [{ name, atMs, number: index + 1 }]))
  if (reached.length === 0) return ''
  const from = Math.min(0, ...reached.map(({ atMs }) => atMs))
  const until = Math.max(1, ...reached.map(({ atMs }) => atMs))
  const row = 26
  const tall = reached.length * row + 30
  const x = (ms: number): number => Number(rounded(190 + ((ms - from) / (until - from)) * (width - 190 - 76)))
  const rows = reached
    .map(({ name, atMs, number }, index) => {
      const y = 18 + index * row
      return (
        `<text class="name" x="0" y="${y + 4}">${number} ${escaped(name)}</text><line class="axis" x1="190" x2="${x(atMs)}" y1="${y}" y2="${y}"/>` +
        `<circle class="dot" cx="${x(atMs)}" cy="${y}" r="5"/><text x="${x(atMs) + 10}" y="${y + 4}">${seconds(atMs)}</text>`
      )
    })
    .join('')
  return `<svg viewBox="0 0 ${width} ${tall}" role="img" aria-label="The steps in time">${rows}</svg>`
}
