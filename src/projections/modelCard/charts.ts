import type { CalibrationBin, Portrait } from '../../model/evaluation/index.js'
import { axisFor, bars, plot, type Axis } from './plot.js'

const percent = (share: number): string => `${Math.round(100 * share)} %`
const shares = (title: string): Axis => ({ title, min: 0, max: 1, ticks: [0, 0.25, 0.5, 0.75, 1], say: percent })

/** Precision against recall of alarms, threshold by threshold, with the point that the budget allows. */
export function precisionRecallChart({ curve, recallAt, budget }: Portrait): string {
  const chosen = recallAt.find((each) => each.budget === budget)?.threshold ?? null
  return plot('Precision and recall', shares('incidents found'), shares('alarms that were right'), ({ x, y }) => {
    const path = curve
      .map(({ recall, precision }, index) => `${index === 0 ? 'M' : 'L'}${x(recall)} ${y(precision)}`)
      .join('')
    const point = curve.find(({ threshold }) => threshold === chosen)
    const mark =
      point === undefined
        ? ''
        : `<circle class="dot" cx="${x(point.recall)}" cy="${y(point.precision)}" r="6"/>` +
          `<text class="name" x="${Number(x(point.recall)) + (point.recall > 0.7 ? -12 : 12)}" y="${Number(y(point.precision)) + (point.precision > 0.85 ? 20 : -10)}" text-anchor="${point.recall > 0.7 ? 'end' : 'start'}">${budget} false alarm${budget === 1 ? '' : 's'} a server-day</text>`
    return `<path class="line" d="${path}"/>${mark}`
  })
}

const leadBins = 12

/** How early the incidents were found. */
export function leadChart({ leadsMs, horizonMs }: Portrait): string {
  const binMs = horizonMs / leadBins
  const counts = new Array<number>(leadBins).fill(0)
  for (const lead of leadsMs) {
    const bin = Math.min(leadBins - 1, Math.max(0, Math.ceil(lead / binMs) - 1))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  const inMinutes = horizonMs > 600_000
  const ticks = Array.from({ length: leadBins / 2 + 1 }, (_, index) => 2 * index * binMs)
  const say = (ms: number): string => (inMinutes ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 1_000)} s`)
  const horizontal: Axis = { title: 'before the incident', min: 0, max: horizonMs, ticks, say }
  const vertical = axisFor('incidents', Math.max(5, ...counts), (count) => String(Math.round(count)))
  return plot('Lead time', horizontal, vertical, ({ x, y, tall }) =>
    counts
      .map((count, bin) => {
        const [from, until] = [Number(x(bin * binMs)) + 1, Number(x((bin + 1) * binMs)) - 1]
        return `<rect class="bar" x="${from}" y="${y(count)}" width="${until - from}" height="${tall(count)}"/>`
      })
      .join(''),
  )
}

/** Risk told against what followed; on the dashed line both agree. */
export function calibrationChart(bins: ReadonlyArray<CalibrationBin>): string {
  const largest = Math.max(0.02, ...bins.flatMap(({ predicted, observed }) => [predicted, observed]))
  const digits = largest < 0.1 ? 1 : 0
  const say = (share: number): string => `${(100 * share).toFixed(digits)} %`
  const [horizontal, vertical] = [axisFor('risk told', largest, say), axisFor('incidents that followed', largest, say)]
  return plot('Calibration', horizontal, vertical, ({ x, y }) => {
    const ideal = `<line class="mark" x1="${x(0)}" y1="${y(0)}" x2="${x(horizontal.max)}" y2="${y(vertical.max)}"/>`
    const path = bins
      .map(({ predicted, observed }, index) => `${index === 0 ? 'M' : 'L'}${x(predicted)} ${y(observed)}`)
      .join('')
    const dots = bins
      .map(({ predicted, observed }) => `<circle class="dot" cx="${x(predicted)}" cy="${y(observed)}" r="4"/>`)
      .join('')
    return `${ideal}<path class="line" d="${path}"/>${dots}`
  })
}

const featuresShown = 12

export const importanceChart = ({ importance }: Pick<Portrait, 'importance'>): string =>
  bars(
    'Importance',
    importance.slice(0, featuresShown).map(({ feature, share }) => ({
      name: feature,
      value: share,
      say: `${(100 * share).toFixed(1)} %`,
    })),
  )

export const weightsChart = (weights: Readonly<Record<string, number>>): string =>
  bars(
    'Weights',
    Object.entries(weights)
      .filter(([, weight]) => weight > 0)
      .sort((a, b) => b[1] - a[1])
      .map(([name, weight]) => ({ name, value: weight, say: weight.toFixed(3) })),
  )
