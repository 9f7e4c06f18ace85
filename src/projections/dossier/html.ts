import { readStatement } from '../../events/integrity/index.js'
import * as E from 'fp-ts/lib/Either.js'
import { escaped } from '../markup.js'
import { lineChart, rounded, seconds, stepAxis, type Series } from './charts.js'
import type { DossierFile } from './records.js'
import { style } from './style.js'
import type { DossierView, SampleView } from './view.js'
import { viewersTold } from './viewers.js'

const opening = '<script type="application/json" id="segue-dossier">'
const closing = '</script>'

/** The data that a page carries; null when there are none. */
export function embeddedIn(html: string): string | null {
  const from = html.indexOf(opening)
  const until = html.indexOf(closing, from)
  return from === -1 || until === -1 ? null : html.slice(from + opening.length, until)
}

/**
 * The dossier as one page that needs nothing else, with its own data in it. The same data always give the same bytes, so
 * that a changed page is recognised.
 */
export function renderDossier(file: DossierFile): string {
  const view = file.view as DossierView
  const { record } = view
  const title = `Handover ${file.proof.handover}`
  const body = [
    `<header><h1>${escaped(title)}</h1>${headline(view)}</header>`,
    section('Seven steps', stepAxis(view.steps) + stepTable(view)),
    section('What was known', known(view)),
    section(
      `Segments around K${record?.cutover === null || record === null ? '' : ` = ${record.cutover}`}`,
      segments(view),
    ),
    section('What viewers measured', viewers(view)),
    section('Proof', proof(file)),
  ].join('\n')
  // "<" must not end the script; in JSON it may be written as an escape.
  const data = JSON.stringify(file).replaceAll('<', '\\u003c')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
${opening}${data}${closing}
</body>
</html>
`
}

const section = (title: string, content: string): string =>
  content === '' ? '' : `<section><h2>${escaped(title)}</h2>${content}</section>`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  `<table><thead><tr>${head.map((cell) => `<th>${escaped(cell)}</th>`).join('')}</tr></thead><tbody>` +
  `${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</tbody></table>`

const code = (text: string): string => `<code>${escaped(text)}</code>`
const verdict = (isGood: boolean, text: string): string =>
  `<span class="${isGood ? 'good' : 'bad'}">${escaped(text)}</span>`

function headline(view: DossierView): string {
  const { record } = view
  if (record === null) return '<p>The events do not hold this handover.</p>'
  const { from, to, cause, outcome, requestedAt, triggerToSwitchMs, reason } = record
  const facts = [
    ['stream', record.stream],
    ['from', from.id],
    ['to', to.id],
    ['cause', cause],
    ['requested', new Date(requestedAt).toISOString()],
    ['outcome', reason === null ? outcome : `${outcome}: ${reason}`],
    ['switched', triggerToSwitchMs === null ? 'not' : `after ${rounded(triggerToSwitchMs, 0)} ms`],
    ['epoch', record.epoch === null ? 'unchanged' : String(record.epoch)],
  ] as const
  const list = facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escaped(value)}</dd></div>`).join('')
  const told = viewersTold(view)
  if (told === null) return `<dl>${list}</dl>`
  return `<dl>${list}</dl><p>${told.isGood === null ? escaped(told.text) : verdict(told.isGood, told.text)}</p>`
}

const stepTable = ({ steps }: DossierView): string =>
  table(
    ['', 'step', 'from the request', ''],
    steps.map(({ name, atMs, detail }, index) => [
      String(index + 1),
      escaped(name),
      atMs === null ? '–' : seconds(atMs),
      escaped(detail),
    ]),
  )

function known({ prediction, samples, assessments, record }: DossierView): string {
  const said =
    prediction === null
      ? ''
      : `<p>At ${seconds(prediction.atMs)} model ${code(prediction.model)} gave ${escaped(record?.from.id ?? '')} a stability score of ` +
        `<strong>${prediction.score}</strong>, below the threshold of ${prediction.threshold}, and a risk of ${rounded(prediction.risk * 100)} % within ` +
        `${rounded(prediction.horizonMs / 1000)} s${prediction.timeToLimitMs === null ? '' : `; at this rate a limit is reached in ${rounded(prediction.timeToLimitMs / 1000)} s`}.</p>` +
        table(
          ['factor', 'points it took off', 'health (0 worst, 1 best)'],
          prediction.factors.map(({ name, contribution, health }) => [
            escaped(name),
            String(contribution),
            String(health),
          ]),
        )
  const from = samples[0]?.atMs ?? 0
  const until = samples.at(-1)?.atMs ?? 0
  const line = (
    title: string,
    unit: string,
    pick: (sample: SampleView) => number | null,
    level?: Series['level'],
  ): string => {
    const points = samples.flatMap((sample): ReadonlyArray<readonly [number, number]> => {
      const value = pick(sample)
      return value === null ? [] : [[sample.atMs, value]]
    })
    return lineChart({ title, unit, points, ...(level === undefined ? {} : { level }) }, from, until)
  }
  const scores: Series = {
    title: 'Stability score, where it was recorded',
    unit: 'points',
    points: assessments.map(({ atMs, score }) => [atMs, score]),
    max: 100,
    ...(prediction === null
      ? {}
      : { level: { value: prediction.threshold, title: `threshold ${prediction.threshold}` } }),
  }
  const limit = { value: 100, title: 'limit' }
  const charts = [
    lineChart(scores, from, until),
    line(
      'Memory, share of the limit',
      '%',
      ({ memoryRatio }) => (memoryRatio === null ? null : memoryRatio * 100),
      limit,
    ),
    line('Processor', 'cores', ({ cpuCores }) => cpuCores),
    line('Event loop delay', 'ms', ({ eventLoopMs }) => eventLoopMs),
    line('Encoder lateness', 'ms', ({ latenessMs }) => latenessMs),
  ].join('')
  const told = samples.length === 0 ? '<p>No health sample of the server is in this time.</p>' : ''
  return `${said}${charts}${told}`
}

function segments({ segments: rows }: DossierView): string {
  if (rows.length === 0) return '<p>No hashes were recorded: the handover was not prepared, or had no time for it.</p>'
  const told =
    '<p>A server that is to take over compares each segment with the primary’s by SHA-256 before it reports it. The first 16 digits:</p>'
  const further = rows.some(({ servers }) => servers.some(({ others }) => others.length > 0))
  const short = (sha256: string): string => code(sha256.slice(0, 16))
  return `${told}${table(
    [
      ...['segment', 'epoch', 'server', 'video (SHA-256)', 'audio (SHA-256)'],
      ...(further ? ['further renditions (SHA-256)'] : []),
      'same bytes',
    ],
    rows.flatMap(({ number, epoch, servers, identical }) =>
      servers.map(({ server, video, audio, others }) => [
        String(number),
        epoch,
        escaped(server),
        short(video),
        short(audio),
        ...(further ? [others.map(({ track, sha256 }) => `${escaped(track)} ${short(sha256)}`).join(', ')] : []),
        servers.length < 2 ? '–' : verdict(identical, identical ? 'yes' : 'no'),
      ]),
    ),
  )}`
}

function viewers({ viewers: rows, record }: DossierView): string {
  const summary = record?.viewers
  const all =
    summary === null || summary === undefined
      ? ''
      : `<p>${summary.sessions} viewer(s) reported: ${summary.gaps} gaps, ${summary.duplicates} duplicates, ${summary.hashMismatches} damaged segments, ` +
        `${summary.stalls} stalls, the longest ${rounded(summary.stallMsMax, 0)} ms; ${summary.acknowledged} of ${summary.notified} had acknowledged.</p>`
  if (rows.length === 0) return all
  return (
    all +
    table(
      [
        'viewer',
        'acknowledged after',
        'first segment of the new server',
        'gaps',
        'duplicates',
        'damaged',
        'stall',
        'verdict',
      ],
      rows.map((row) => [
        escaped(row.session),
        row.acknowledgedMs === null ? '–' : `${rounded(row.acknowledgedMs, 0)} ms`,
        row.firstNumber === null ? '–' : String(row.firstNumber),
        String(row.gaps ?? '–'),
        String(row.duplicates ?? '–'),
        String(row.hashMismatches ?? '–'),
        row.stallMs === null ? '–' : `${rounded(row.stallMs, 0)} ms`,
        row.verdict === null ? '–' : verdict(row.verdict === 'seamless', row.verdict),
      ]),
    )
  )
}

function proof({ proof: { checkpoint, parts, handover }, view }: DossierFile): string {
  const { replay } = view as DossierView
  const statement = readStatement(checkpoint.statement)
  const signed =
    E.isRight(statement) && statement.right.type === 'segue-checkpoint/1'
      ? `<p>Checkpoint ${statement.right.sequence} of ledger ${code(statement.right.log)}, ${new Date(statement.right.at).toISOString()}, over ` +
        `${statement.right.events} events in ${statement.right.streams} streams, signed by key ${code(statement.right.key)}.<br>Root ${code(statement.right.root)}</p>`
      : ''
  const derived =
    replay === null
      ? '<p>The stream is not held from its beginning: replay it in the store.</p>'
      : `<p>Replay: ${replay.decisions} decisions of the stream, derived again from its facts by version ${replay.versions.join(', ')} of the rules: ` +
        `${verdict(replay.identical, replay.identical ? 'identical' : 'different')}.</p>`
  const rows = parts.map(({ stream, events, after, path }) => [
    code(stream),
    events.length === 0 ? '–' : `${events[0]?.revision} to ${events.at(-1)?.revision}`,
    String(after.length),
    String(path.length),
  ])
  return (
    signed +
    derived +
    table(['event stream', 'events in this file', 'hashes to the checkpoint', 'steps to the root'], rows) +
    `<p>Check it, without the store and with the operator’s public key alone: ${code(`segue audit verify FILE --key PUBLIC.pem`)}. ` +
    `Handover ${code(handover)}; docs/audit.md says how to do it by hand.</p>`
  )
}
