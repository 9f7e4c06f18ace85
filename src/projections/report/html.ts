import { escaped } from '../markup.js'
import type { Spread } from './figures.js'
import type { Report } from './report.js'
import { millis, share, whole } from './words.js'

const causeColours: Readonly<Record<string, string>> = {
  prediction: '#2f7d6d',
  failure: '#b5443b',
  drain: '#5b76b8',
  operator: '#8a6fb0',
  maintenance: '#b58a2f',
}

const style = `
:root{color-scheme:light dark;--ink:#1d2327;--dim:#66717a;--line:#d9dee2;--paper:#fff;--soft:#f4f6f7;--accent:#2f7d6d}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaed;--dim:#98a4ad;--line:#333c43;--paper:#14181b;--soft:#1c2226}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1040px;padding:32px 24px 64px;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:26px;margin:0 0 4px}h2{font-size:17px;margin:40px 0 12px}p{color:var(--dim);margin:0 0 8px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:24px 0}
.figure{background:var(--soft);border-radius:8px;padding:12px 14px}.figure b{display:block;font-size:24px;font-weight:600;font-variant-numeric:tabular-nums}
.figure span{color:var(--dim);font-size:13px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:5px 10px;border-bottom:1px solid var(--line);white-space:nowrap}th{color:var(--dim);font-weight:500;font-size:13px}
th:first-child,td:first-child{text-align:left}svg{width:100%;height:auto;display:block}svg text{fill:var(--dim);font:12px system-ui,sans-serif}
.key{display:flex;flex-wrap:wrap;gap:16px;color:var(--dim);font-size:13px;margin-bottom:8px}.key i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px}`

/** The report as one HTML page that needs nothing else: style and charts are in it, and it runs no script. */
export function reportHtml(report: Report, title: string, range: string): string {
  const { handovers, predictions, viewers } = report
  const figures = [
    [
      whole(handovers.started),
      report.handoversPerDay === null ? 'handovers' : `handovers, ${report.handoversPerDay.toFixed(1)} a day`,
    ],
    [share(handovers.successRate), 'completed, of those that are over'],
    [millis(handovers.switchMs.p50), `request to switch, median; p99 ${millis(handovers.switchMs.p99)}`],
    [millis(predictions.switchLeadMs.p50), `left before the failure, median of ${predictions.switchLeadMs.count}`],
    [share(predictions.falseHandoverRate), `false handovers (${whole(predictions.falseHandovers)}), of predicted ones`],
    [share(viewers.interruptedShare), `of ${whole(viewers.switches)} changes of server interrupted a viewer`],
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(title)}</title><style>${style}</style></head><body>
<h1>Handovers</h1><p>${escaped(range)}</p>
<div class="figures">${figures.map(([value, about]) => `<div class="figure"><b>${escaped(value ?? '')}</b><span>${escaped(about ?? '')}</span></div>`).join('')}</div>
<h2>Handovers a day, by cause</h2>${dayChart(report)}
<h2>From the request to each step</h2><p>Bar: up to the 95th percentile; mark: median; line: up to the 99th.</p>${stepChart(report)}
${table(
  'Steps',
  ['step', 'count', 'p50', 'p95', 'p99', 'max'],
  report.steps.map((row) => [row.step, ...spreadCells(row)]),
)}
${table(
  'By cause',
  ['cause', ...handoverTitles],
  report.byCause.map((row) => [row.cause, ...handoverCells(row)]),
)}
${table(
  'By server that was left',
  ['server', ...handoverTitles, 'alarms', 'confirmed', 'unconfirmed', 'false handovers', 'lead p50'],
  report.byServer.map((row) => [
    row.server,
    ...handoverCells(row),
    whole(row.alarms),
    whole(row.confirmed),
    whole(row.unconfirmed),
    share(row.falseHandoverRate),
    millis(row.switchLeadMs.p50),
  ]),
)}
${table(
  'By day (UTC)',
  ['day', ...handoverTitles],
  report.byDay.map((row) => [row.day, ...handoverCells(row)]),
)}
${table('Viewers', ['changes of server', 'seamless', 'stalled', 'damaged', 'standstill p50', 'p95', 'p99', 'max'], [[whole(viewers.switches), whole(viewers.seamless), whole(viewers.stalled), whole(viewers.damaged), millis(viewers.stallMs.p50), millis(viewers.stallMs.p95), millis(viewers.stallMs.p99), millis(viewers.stallMs.max)]])}
</body></html>
`
}

const handoverTitles = [
  'started',
  'completed',
  'aborted',
  'success',
  'switch p50',
  'p95',
  'p99',
  'with stalls',
  'stall max',
]

const handoverCells = (row: Report['handovers']): ReadonlyArray<string> => [
  ...[whole(row.started), whole(row.completed), whole(row.aborted), share(row.successRate)],
  ...[millis(row.switchMs.p50), millis(row.switchMs.p95), millis(row.switchMs.p99)],
  ...[whole(row.stalled), millis(row.stallMsMax)],
]

const spreadCells = ({ count, p50, p95, p99, max }: Spread): ReadonlyArray<string> => [
  whole(count),
  ...[p50, p95, p99, max].map(millis),
]

function table(title: string, titles: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string {
  const cells = (tag: string, list: ReadonlyArray<string>) =>
    list.map((each) => `<${tag}>${escaped(each)}</${tag}>`).join('')
  const body = rows.length === 0 ? '<tr><td>none</td></tr>' : rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')
  return `<h2>${escaped(title)}</h2><div class="wide"><table><thead><tr>${cells('th', titles)}</tr></thead><tbody>${body}</tbody></table></div>`
}

const chart = { width: 960, left: 150, right: 24 }

function dayChart({ byDay }: Report): string {
  if (byDay.length === 0) return '<p>none</p>'
  const height = 200
  const most = Math.max(...byDay.map(({ started }) => started))
  const step = (chart.width - 40) / byDay.length
  const bars = byDay.map(({ day, causes, started }, index) => {
    let y = height
    const parts = Object.entries(causes).map(([cause, count]) => {
      const tall = (count / most) * (height - 20)
      y -= tall
      return `<rect x="${px(40 + index * step + step * 0.15)}" y="${px(y)}" width="${px(Math.min(60, step * 0.7))}" height="${px(tall)}" fill="${causeColours[cause] ?? '#888'}"><title>${escaped(`${day}: ${cause} ${count}`)}</title></rect>`
    })
    const every = Math.ceil(byDay.length / 12)
    const label =
      index % every === 0
        ? `<text x="${px(40 + index * step + step * 0.15)}" y="${height + 18}">${day.slice(5)}</text>`
        : ''
    return `${parts.join('')}<text x="${px(40 + index * step + step * 0.15)}" y="${px(y - 4)}">${byDay.length <= 31 ? started : ''}</text>${label}`
  })
  const causes = [...new Set(byDay.flatMap((row) => Object.keys(row.causes)))].toSorted()
  const key = causes.map(
    (cause) => `<span><i style="background:${causeColours[cause] ?? '#888'}"></i>${escaped(cause)}</span>`,
  )
  return `<div class="key">${key.join('')}</div><svg viewBox="0 0 ${chart.width} ${height + 26}" role="img" aria-label="Handovers a day, by cause"><line x1="40" x2="${chart.width}" y1="${height}" y2="${height}" stroke="var(--line)"/>${bars.join('')}</svg>`
}

function stepChart({ steps }: Report): string {
  const reached = steps.filter(({ count }) => count > 0)
  if (reached.length === 0) return '<p>none</p>'
  const most = Math.max(...reached.map(({ p99 }) => p99 ?? 0), 1)
  const x = (ms: number | null): number =>
    chart.left + ((ms ?? 0) / most) * (chart.width - chart.left - chart.right - 130)
  const rows = reached.map(({ step, p50, p95, p99 }, index) => {
    const y = 18 + index * 30
    return `<text x="${chart.left - 12}" y="${y + 5}" text-anchor="end">${escaped(step)}</text><line x1="${px(x(0))}" x2="${px(x(p99))}" y1="${y}" y2="${y}" stroke="var(--dim)"/><rect x="${px(x(0))}" y="${y - 8}" width="${px(Math.max(1, x(p95) - x(0)))}" height="16" rx="2" fill="var(--accent)" opacity="0.45"/><rect x="${px(x(p50) - 1.5)}" y="${y - 10}" width="3" height="20" fill="var(--accent)"/><text x="${px(x(p99) + 8)}" y="${y + 5}">${millis(p50)} / ${millis(p99)}</text>`
  })
  return `<svg viewBox="0 0 ${chart.width} ${reached.length * 30 + 12}" role="img" aria-label="Time from the request to each step">${rows.join('')}</svg>`
}

const px = (value: number): string => value.toFixed(1)
