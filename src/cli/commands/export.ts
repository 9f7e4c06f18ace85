import { Command } from 'commander'
import { describeConnection } from '../../events/stores/index.js'
import { exportTables } from '../../projections/export/index.js'
import { exportFormats, exportLog, type ExportFormat, type ExportResult } from '../../runtime/export/index.js'
import { firstEvent, projectionStatus, type Reading } from '../../runtime/projecting/index.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { logOf } from '../log.js'
import { ProgressLine } from '../output/progress.js'
import { tableLines } from '../output/table.js'
import { addReadModelFlags, catchingUp, usingReadModel } from '../readModel.js'
import { UsageError } from '../usage.js'
import { words, writtenMoment, type WrittenMoment } from '../values.js'

interface ExportFlags {
  readonly to: ExportFormat
  readonly out: string
  readonly tables?: ReadonlyArray<string>
  readonly from?: WrittenMoment
  readonly until?: WrittenMoment
  readonly json?: boolean
}

const names = exportTables.map(({ table }) => table.name)

const examples = `
Tables: ${names.join(', ')}; docs/export.md tells their columns.
An export that was cut off goes on when the same command is given again.

Examples:
  segue export --out ./export
  segue export --to csv --out ./november --from 2026-11-01 --until 2026-12-01 --tables handovers,handover_steps`

export function exportCommand(context: CommandContext): Command {
  const at = writtenMoment(Date.now)
  return addReadModelFlags(
    new Command('export').description('Write the log as tables to Parquet, CSV or NDJSON files.'),
  )
    .addOption(flag('--to <format>', 'kind of files', { default: 'parquet', choices: exportFormats }))
    .addOption(
      flag('--out <dir>', 'folder for the files; made when missing, must be empty otherwise').makeOptionMandatory(),
    )
    .addOption(flag('--tables <names>', 'these tables only, with commas between them', { read: words }))
    .addOption(
      flag('--from <time>', 'rows not before this time: 2026-11-22, 2026-11-22T17:30:00Z, or 7d ago', { read: at }),
    )
    .addOption(flag('--until <time>', 'rows before this time', { read: at }))
    .addOption(flag('--json', 'print what was written as one JSON object'))
    .addHelpText('after', examples)
    .action(async (flags: ExportFlags, self: Command) => {
      const { to, out, tables, from, until } = flags
      const unknown = tables?.find((name) => !names.includes(name))
      if (unknown !== undefined)
        throw new UsageError(`--tables: there is no table "${unknown}": give some of ${names.join(', ')}`)
      if (from !== undefined && until !== undefined && from.at >= until.at)
        throw new UsageError('--from is not before --until')
      const log = describeConnection(await logOf(self, context.env))
      const range = {
        ...(from === undefined ? {} : { from: from.at }),
        ...(until === undefined ? {} : { until: until.at }),
      }
      const written = { from: from?.text ?? null, until: until?.text ?? null }
      const options = { format: to, dir: out, log, ...range, written, ...(tables === undefined ? {} : { tables }) }
      const result = await usingReadModel(context, self, async (reading) => {
        await catchingUp(context, reading)
        return withProgress(context, reading, (show) => exportLog(reading, options, show))
      })
      for (const line of resultLines(out, result, flags.json === true)) context.stdout.write(`${line}\n`)
    })
}

async function withProgress<T>(
  context: CommandContext,
  { store, model }: Reading,
  run: (show: (progress: { readonly events: number; readonly at: number }) => void) => Promise<T>,
): Promise<T> {
  const line = new ProgressLine(context, 'export')
  const begins = (await firstEvent(store))?.metadata.occurredAt ?? 0
  const ends = Math.max(...projectionStatus(model).map(({ at }) => at ?? 0))
  // How many events there are nobody knows without reading them; how much time there is, everybody.
  const share = (at: number): number => (ends > begins ? (at - begins) / (ends - begins) : 1)
  try {
    return await run(({ events, at }) => line.show(share(at), `${events.toLocaleString('en')} events`))
  } finally {
    line.end()
  }
}

function resultLines(dir: string, { parts }: ExportResult, json: boolean): ReadonlyArray<string> {
  if (json) return [JSON.stringify({ dir, parts })]
  const rows = [...new Set(parts.map(({ table }) => table))].map((name) => {
    const of = parts.filter(({ table }) => table === name)
    return [name, of.reduce((sum, part) => sum + part.rows, 0).toLocaleString('en'), String(of.length)]
  })
  const right = (title: string) => ({ title, align: 'right' as const })
  return tableLines([{ title: 'TABLE' }, right('ROWS'), right('FILES')], rows)
}
