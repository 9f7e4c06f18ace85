import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { millis, reportHtml, share, whole, type Report } from '../../projections/report/index.js'
import { lackingTexts, projectionStatus } from '../../runtime/projecting/index.js'
import { makeReport, type ReportFilter } from '../../runtime/report.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { tableLines, type TextColumn } from '../output/table.js'
import { addReadModelFlags, catchingUp, usingReadModel } from '../readModel.js'
import { UsageError } from '../usage.js'
import { id, moment } from '../values.js'

interface ReportFlags extends ReportFilter {
  readonly json?: boolean
  readonly html?: string
}

const examples = `
Examples:
  segue report
  segue report --from 7d --cause prediction
  segue report --server s1 --from 2026-11-01 --until 2026-12-01 --html november.html`

const causes = ['prediction', 'maintenance', 'drain', 'failure', 'operator']

export function reportCommand(context: CommandContext): Command {
  const at = moment(Date.now)
  return addReadModelFlags(new Command('report').description('Report on handovers, alarms and what viewers noticed.'))
    .addOption(flag('--from <time>', 'not before this time: 2026-11-22, 2026-11-22T17:30:00Z, or 7d ago', { read: at }))
    .addOption(flag('--until <time>', 'before this time', { read: at }))
    .addOption(flag('--cause <cause>', 'handovers for this cause only', { choices: causes }))
    .addOption(flag('--server <id>', 'handovers away from this server only', { read: id }))
    .addOption(flag('--stream <id>', 'handovers of this stream only', { read: id }))
    .addOption(flag('--json', 'print one JSON object; times in milliseconds, shares from 0 to 1'))
    .addOption(flag('--html <file>', 'write one HTML file with charts, which needs nothing else'))
    .addHelpText('after', examples)
    .action(async (flags: ReportFlags, self: Command) => {
      const { from, until, json = false, html } = flags
      if (from !== undefined && until !== undefined && from >= until)
        throw new UsageError('--from is not before --until')
      const report = await usingReadModel(context, self, async (reading) => {
        await catchingUp(context, reading)
        for (const text of lackingTexts(projectionStatus(reading.model))) context.stderr.write(`${text}\n`)
        return makeReport(reading, flags)
      })
      if (html !== undefined) {
        await writePage(html, reportHtml(report, 'Segue: handovers', rangeOf(report)))
        context.stderr.write(`wrote ${html}\n`)
      }
      const lines = json ? [JSON.stringify(report)] : html === undefined ? reportLines(report) : []
      for (const line of lines) context.stdout.write(`${line}\n`)
    })
}

async function writePage(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((error: unknown) => {
    throw new UsageError(`--html ${path} cannot be written (${error instanceof Error ? error.message : String(error)})`)
  })
}

function rangeOf({ from, until }: Report): string {
  const text = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`
  return from === null || until === null ? 'no events' : `${text(from)} to ${text(until)}`
}

const right = (title: string): TextColumn => ({ title, align: 'right' })
const handoverColumns = [
  'STARTED',
  'COMPLETED',
  'ABORTED',
  'SUCCESS',
  'SWITCH P50',
  'P95',
  'P99',
  'STALLED',
  'MAX',
].map(right)
const handoverCells = (row: Report['handovers']): ReadonlyArray<string> => [
  ...[whole(row.started), whole(row.completed), whole(row.aborted), share(row.successRate)],
  ...[millis(row.switchMs.p50), millis(row.switchMs.p95), millis(row.switchMs.p99)],
  ...[whole(row.stalled), millis(row.stallMsMax)],
]

/** The report for people. */
export function reportLines(report: Report): ReadonlyArray<string> {
  const { handovers, predictions, viewers, handoversPerDay } = report
  const perDay = handoversPerDay === null ? '' : `, ${handoversPerDay.toFixed(1)} a day`
  return [
    rangeOf(report),
    '',
    `handovers    ${whole(handovers.started)}${perDay}: ${whole(handovers.completed)} completed, ${whole(handovers.aborted)} aborted, ${whole(handovers.underWay)} under way; success ${share(handovers.successRate)}`,
    `alarms       ${whole(predictions.alarms)}: ${whole(predictions.confirmed)} confirmed, ${whole(predictions.unconfirmed)} not, ${whole(predictions.open)} open; false handovers ${whole(predictions.falseHandovers)} (${share(predictions.falseHandoverRate)})`,
    `lead         alarm before the failure: p50 ${millis(predictions.alarmLeadMs.p50)}; last stream gone before it: p50 ${millis(predictions.switchLeadMs.p50)} (${whole(predictions.switchLeadMs.count)} servers)`,
    `viewers      ${whole(viewers.switches)} changes of server: ${whole(viewers.seamless)} seamless, ${whole(viewers.stalled)} stalled, ${whole(viewers.damaged)} damaged; interrupted ${share(viewers.interruptedShare)}, standstill p50 ${millis(viewers.stallMs.p50)}, max ${millis(viewers.stallMs.max)}`,
    '',
    ...tableLines(
      [{ title: 'FROM THE REQUEST TO' }, right('COUNT'), right('P50'), right('P95'), right('P99'), right('MAX')],
      report.steps.map(({ step, count, p50, p95, p99, max }) => [
        step,
        whole(count),
        ...[p50, p95, p99, max].map(millis),
      ]),
    ),
    '',
    ...tableLines(
      [{ title: 'CAUSE' }, ...handoverColumns],
      report.byCause.map((row) => [row.cause, ...handoverCells(row)]),
    ),
    '',
    ...tableLines(
      [{ title: 'SERVER LEFT' }, ...handoverColumns, ...['ALARMS', 'CONFIRMED', 'FALSE'].map(right)],
      report.byServer.map((row) => [
        row.server,
        ...handoverCells(row),
        ...[whole(row.alarms), whole(row.confirmed), share(row.falseHandoverRate)],
      ]),
    ),
    '',
    ...tableLines(
      [{ title: 'DAY (UTC)' }, ...handoverColumns],
      report.byDay.map((row) => [row.day, ...handoverCells(row)]),
    ),
  ]
}
