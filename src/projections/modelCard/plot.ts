import { escaped } from '../markup.js'

const width = 720
const height = 260
const margin = { left: 52, right: 30, top: 12, bottom: 40 } as const

export interface Axis {
  readonly title: string
  readonly min: number
  readonly max: number
  readonly ticks: ReadonlyArray<number>
  readonly say: (value: number) => string
}

/** An axis from 0 to a round value that all values fit under, with about five ticks. */
export function axisFor(title: string, largest: number, say: (value: number) => string): Axis {
  const rough = Math.max(largest, 1e-9) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough
  const count = Math.max(1, Math.ceil(largest / step - 1e-9))
  return { title, min: 0, max: count * step, ticks: Array.from({ length: count + 1 }, (_, index) => index * step), say }
}

const round = (value: number): string => String(Number(value.toFixed(1)))

interface Scale {
  readonly x: (value: number) => string
  readonly y: (value: number) => string
  /** Length of a stretch of the vertical axis. */
  readonly tall: (value: number) => string
}

const inside = (value: number, { min, max }: Axis): number => Math.min(1, Math.max(0, (value - min) / (max - min)))

const scaleOf = (horizontal: Axis, vertical: Axis): Scale => ({
  x: (value) => round(margin.left + inside(value, horizontal) * (width - margin.left - margin.right)),
  y: (value) => round(margin.top + (1 - inside(value, vertical)) * (height - margin.top - margin.bottom)),
  tall: (value) => round(inside(value, vertical) * (height - margin.top - margin.bottom)),
})

/** Draws inside two labelled axes; an inline SVG. */
export function plot(title: string, horizontal: Axis, vertical: Axis, draw: (scale: Scale) => string): string {
  const scale = scaleOf(horizontal, vertical)
  const bottom = scale.y(vertical.min)
  const [left, right] = [scale.x(horizontal.min), scale.x(horizontal.max)]
  const across = vertical.ticks
    .map(
      (tick) =>
        `<line class="axis" x1="${left}" x2="${right}" y1="${scale.y(tick)}" y2="${scale.y(tick)}"/>` +
        `<text x="${margin.left - 8}" y="${Number(scale.y(tick)) + 4}" text-anchor="end">${escaped(vertical.say(tick))}</text>`,
    )
    .join('')
  const along = horizontal.ticks
    .map(
      (tick) =>
        `<text x="${scale.x(tick)}" y="${Number(bottom) + 16}" text-anchor="middle">${escaped(horizontal.say(tick))}</text>`,
    )
    .join('')
  const titles =
    `<text x="${right}" y="${height - 4}" text-anchor="end">${escaped(horizontal.title)}</text>` +
    `<text x="${margin.left}" y="${height - 4}">${escaped(`↑ ${vertical.title}`)}</text>`
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">${across}${along}${titles}${draw(scale)}</svg>`
}

/** Bars beside their names, the longest over the whole width. */
export function bars(
  title: string,
  entries: ReadonlyArray<{ readonly name: string; readonly value: number; readonly say: string }>,
): string {
  const row = 24
  const names = 210
  const largest = Math.max(...entries.map(({ value }) => value), 1e-9)
  const drawn = entries
    .map(({ name, value, say }, index) => {
      const y = index * row
      const long = round((value / largest) * (width - names - 70))
      return (
        `<text class="name" x="${names - 10}" y="${y + 16}" text-anchor="end">${escaped(name)}</text>` +
        `<rect class="bar" x="${names}" y="${y + 4}" width="${long}" height="${row - 8}" rx="2"/>` +
        `<text x="${Number(long) + names + 8}" y="${y + 16}">${escaped(say)}</text>`
      )
    })
    .join('')
  return `<svg viewBox="0 0 ${width} ${entries.length * row}" role="img" aria-label="${escaped(title)}">${drawn}</svg>`
}
