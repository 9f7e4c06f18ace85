import { rounded } from '../dossier/charts.js'
import { style } from '../dossier/style.js'
import { escaped } from '../markup.js'
import type { WhatIfResult } from './whatIf.js'

const width = 720

/** The result as one page: the curve of recall against false handovers, the table, and a timeline of each server. */
export function renderWhatIf(result: WhatIfResult, where: string): string {
  const { from, until } = result
  const when =
    from === null || until === null
      ? 'no events'
      : `${new Date(from).toISOString()} to ${new Date(until).toISOString()}`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>What if</title><style>${style}.old{fill:none;stroke:var(--soft);stroke-width:2}</style></head><body><main>
<header><h1>What if</h1><p>${escaped(where)}, ${when}: ${result.samples} health samples of ${result.servers.length} servers, ${result.failures.length} failures.</p></header>
<section><h2>Recall against false handovers</h2>${curve(result)}</section>
<section><h2>Alternatives</h2>${table(result)}</section>
<section><h2>Servers</h2>${result.servers.map((server) => timeline(result, server)).join('')}</section>
<p><small>The facts are those that were recorded. What a server did after a handover that an alternative would not have made,
or would have made before, says little about what it would have done; a server that was left in time may never have failed,
and its alarm counts as false.</small></p>
</main></body></html>
`
}

const percent = (share: number | null): string => (share === null ? '–' : `${rounded(share * 100, 0)} %`)
const inSeconds = (ms: number | undefined): string => (ms === undefined ? '–' : rounded(ms / 1000))

function table({ recorded, alternatives }: WhatIfResult): string {
  const rows = [{ ...recorded, name: 'as recorded' }, ...alternatives].map((row) =>
    [
      escaped(row.name),
      row.handovers,
      row.kept,
      row.avoided,
      row.new,
      row.earlier,
      row.later,
      row.false,
      rounded(row.falseADay, 2),
      percent(row.recall),
      inSeconds(row.leadMs?.median),
    ]
      .map((cell) => `<td>${cell}</td>`)
      .join(''),
  )
  const head = [
    '',
    'handovers',
    'kept',
    'avoided',
    'new',
    'earlier',
    'later',
    'false',
    'false a day',
    'recall',
    'lead s',
  ]
  return `<table><thead><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => `<tr>${row}</tr>`).join('')}</tbody></table>`
}

function curve({ recorded, alternatives }: WhatIfResult): string {
  const points = alternatives.flatMap(({ name, recall, falseADay }) =>
    recall === null ? [] : [{ name, recall, falseADay }],
  )
  if (points.length === 0) return '<p>No server failed in this time, so there is nothing to foresee.</p>'
  const most = Math.max(1, recorded.falseADay, ...points.map(({ falseADay }) => falseADay)) * 1.1
  const x = (value: number): string => rounded(50 + (value / most) * (width - 120))
  const y = (value: number): string => rounded(20 + (1 - value) * 220)
  const line = points.toSorted((a, b) => a.falseADay - b.falseADay || a.recall - b.recall)
  const path = line
    .map(({ falseADay, recall }, index) => `${index === 0 ? 'M' : 'L'}${x(falseADay)} ${y(recall)}`)
    .join('')
  const dots = line
    .map(
      ({ name, falseADay, recall }) =>
        `<circle class="dot" cx="${x(falseADay)}" cy="${y(recall)}" r="5"><title>${escaped(name)}</title></circle><text x="${x(falseADay)}" y="${Number(y(recall)) - 9}" text-anchor="middle">${escaped(name.replace('threshold ', ''))}</text>`,
    )
    .join('')
  const own =
    recorded.recall === null
      ? ''
      : `<circle class="old" cx="${x(recorded.falseADay)}" cy="${y(recorded.recall)}" r="8"><title>as recorded</title></circle>`
  return (
    `<svg viewBox="0 0 ${width} 280" role="img" aria-label="Recall against false handovers a day">` +
    `<line class="axis" x1="50" x2="${width - 60}" y1="240" y2="240"/><line class="axis" x1="50" x2="50" y1="20" y2="240"/>` +
    `<text x="44" y="24" text-anchor="end">100 %</text><text x="44" y="244" text-anchor="end">0 %</text>` +
    `<text x="${width - 60}" y="258" text-anchor="end">${rounded(most, 1)} false handovers a day</text><text x="50" y="258">0</text>` +
    `<path class="line" d="${path}"/>${own}${dots}</svg><p><small>Ring: as recorded. Up and to the left is better.</small></p>`
  )
}

function timeline({ from, until, scores, alternatives, recorded, failures }: WhatIfResult, server: string): string {
  const points = scores.get(server) ?? []
  const begin = from ?? 0
  const x = (at: number): string => rounded(46 + ((at - begin) / Math.max(1, (until ?? 0) - begin)) * (width - 58))
  const y = (score: number): string => rounded(8 + (1 - score / 100) * 80)
  const path = points.map(([at, score], index) => `${index === 0 ? 'M' : 'L'}${x(at)} ${y(score)}`).join('')
  const marks = (
    list: ReadonlyArray<{ readonly server: string; readonly at: number }>,
    row: number,
    kind: string,
    title: string,
  ): string =>
    list
      .filter((each) => each.server === server)
      .map(
        ({ at }) =>
          `<circle class="${kind}" cx="${x(at)}" cy="${row}" r="4"><title>${title} ${new Date(at).toISOString()}</title></circle>`,
      )
      .join('')
  const [first] = alternatives
  const lines = failures
    .filter((each) => each.server === server)
    .map(
      ({ firstSignalAt }) => `<line class="level" x1="${x(firstSignalAt)}" x2="${x(firstSignalAt)}" y1="4" y2="92"/>`,
    )
    .join('')
  return (
    `<figure><figcaption>${escaped(server)} <small>score; ring: alarm as recorded, dot: alarm under ${escaped(first?.name ?? '')}, dashed: failure</small></figcaption>` +
    `<svg viewBox="0 0 ${width} 112" role="img" aria-label="${escaped(server)}"><line class="axis" x1="46" x2="${width - 12}" y1="88" y2="88"/>` +
    `<text x="40" y="14" text-anchor="end">100</text><text x="40" y="92" text-anchor="end">0</text><path class="line" d="${path}"/>${lines}` +
    `${marks(recorded.alarms, 102, 'old', 'recorded')}${marks(first?.alarms ?? [], 102, 'dot', first?.name ?? '')}</svg></figure>`
  )
}
