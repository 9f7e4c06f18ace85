import type { KnownModel } from '../../actors/index.js'
import type { Portrait } from '../../model/evaluation/index.js'
import { style } from '../dossier/style.js'
import { escaped } from '../markup.js'
import { calibrationChart, importanceChart, leadChart, precisionRecallChart, weightsChart } from './charts.js'

export interface CardInputs {
  readonly known: KnownModel
  /** What it was trained on, in words, and how it came about. */
  readonly about: string
  readonly importance: Portrait['importance']
  /** Null: no incident began in the rows that it could be measured on. */
  readonly portrait: Portrait | null
  /** On what it was measured, in words. */
  readonly measuredOn: string
}

const ownStyle =
  '.bar{fill:var(--accent)}p{margin:6px 0;color:var(--soft)}ul{padding-left:20px;margin:8px 0}li{margin:4px 0}'

/** The card of a model as one HTML page that needs nothing else and runs no script. */
export function modelCardHtml(inputs: CardInputs): string {
  const { known, importance, portrait, measuredOn } = inputs
  const measured =
    portrait === null
      ? section('What it found', `<p>Not measured: no incident began in ${escaped(measuredOn)}.</p>`)
      : measurements(portrait, measuredOn)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(`Model ${known.model}`)}</title><style>${style}${ownStyle}</style></head><body><main>
<h1>Model ${escaped(known.model)}</h1>
${facts(inputs)}
${measured}
${section('What it looks at', `<p>Share of each feature in what the trees gained, the twelve largest.</p>${importanceChart({ importance })}`)}
${section('Weights of the stability score', `<p>Of the model itself; a fleet goes half way towards them when it is put in force.</p>${weightsChart(known.weights)}`)}
${section(
  'Limits',
  `<ul>${limitsOf(inputs)
    .map((limit) => `<li>${escaped(limit)}</li>`)
    .join('')}</ul>`,
)}
</main></body></html>
`
}

const section = (title: string, body: string): string => `<section><h2>${escaped(title)}</h2>${body}</section>`

const day = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
const percent = (share: number | null): string => (share === null ? 'none' : `${Math.round(100 * share)} %`)

function facts({ known, about }: CardInputs): string {
  const { data, comparison, standing, reason } = known
  const entries: ReadonlyArray<readonly [string, string]> = [
    ['SHA-256', known.artifact],
    ['Learner', known.learner],
    ['Standing', standing === 'active' ? 'in force' : standing],
    ['Because', reason],
    ['Known since', day(known.trainedAt)],
    ['Trained by', known.trigger],
    ...(data === null
      ? [['Data', about] as const]
      : [
          ['Data range', `${day(data.from)} to ${day(data.until)}`] as const,
          ['Rows', `${data.rows}, ${data.positives} of them before incidents, of ${data.servers} servers`] as const,
        ]),
    ...(comparison === null
      ? []
      : [
          [
            'Against the model in force then',
            `recall ${percent(comparison.challenger.recall)} against ${percent(comparison.champion.recall)}, gain ${percent(comparison.gain.value)} (${percent(comparison.gain.low)} to ${percent(comparison.gain.high)})`,
          ] as const,
        ]),
  ]
  return `<dl>${entries.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl>`
}

function measurements(portrait: Portrait, measuredOn: string): string {
  const { servers, serverDays, incidents, clusters, auc, recallAt, leadsMs, calibration, budget } = portrait
  const on = `${incidents} incidents (${clusters} clusters) in ${serverDays.toFixed(1)} server-days of ${servers} servers: ${measuredOn}`
  const rows = recallAt.map(({ budget: each, recall, interval, threshold }) => [
    String(each),
    threshold === null ? 'none' : percent(recall),
    interval === null ? '' : `${percent(interval.low)} to ${percent(interval.high)}`,
    threshold === null ? 'every threshold costs more' : threshold.toPrecision(3),
  ])
  const found = table(['false alarms a server-day', 'incidents found', 'interval, 90 %', 'risk from which on'], rows)
  const leads =
    leadsMs.length === 0
      ? '<p>No incident was found within the budget.</p>'
      : `<p>First alarm in time before each of the ${leadsMs.length} incidents that were found at ${budget} false alarm${budget === 1 ? '' : 's'} a server-day.</p>${leadChart(portrait)}`
  return [
    section(
      'What it found',
      `<p>${escaped(on)}.${auc === null ? '' : ` Area under the ROC curve: ${auc.toFixed(2)}.`}</p>${found}`,
    ),
    section(
      'Precision and recall',
      `<p>Each point is a threshold. An alarm is right when an incident begins within the horizon after it.</p>${precisionRecallChart(portrait)}`,
    ),
    section('Lead time', leads),
    section(
      'Calibration',
      `<p>Moments in groups by the risk that was told (the lower half, a quarter, and so on to the highest two hundredth): how many of each an incident followed. On the dashed line both agree.</p>${calibrationChart(calibration)}`,
    ),
  ].join('\n')
}

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  `<table><thead><tr>${head.map((cell) => `<th>${escaped(cell)}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => `<tr>${row.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`).join('')}</tbody></table>`

const clustersFew = 20

function limitsOf({ known, portrait }: CardInputs): ReadonlyArray<string> {
  return [
    'It speaks once a server was seen for a whole horizon since its boot; before that forecasts of limits stand alone.',
    'A crash without any warning cannot be seen by it.',
    known.data === null
      ? 'It was trained on simulated faults: what real servers do may differ.'
      : 'It was trained on the servers of one log: others may differ. Its threshold is moved by the fleet it runs in.',
    ...(portrait === null || portrait.clusters >= clustersFew
      ? []
      : [`There are only ${portrait.clusters} independent incidents in the figures: their intervals are wide.`]),
    'Thresholds of the figures were chosen on the same rows, within the budget: a fixed one costs more or less later.',
    'Moments after an alarm for which streams had left are not in the figures: what would have come is not known.',
  ]
}
