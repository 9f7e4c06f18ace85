import { setTimeout as pause } from 'node:timers/promises'
import { Command } from 'commander'
import { projections } from '../../projections/readModel/index.js'
import { untilAskedToStop } from '../../runtime/process/index.js'
import {
  compareWithRebuild,
  lackingTexts,
  projectionStatus,
  resetProjections,
  retryProjections,
  stoppedText,
  tableDigest,
  type ProjectionStatus,
  type ReadModel,
  type TableComparison,
} from '../../runtime/projecting/index.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { tableLines } from '../output/table.js'
import { addReadModelFlags, catchingUp, usingReadModel } from '../readModel.js'
import { statusFailed, statusOk, UsageError } from '../usage.js'

const followEveryMs = 500

const examples = `
Projections are tables that are made of the log; they hold nothing that could not be made again. They are SQLite tables:
  sqlite3 projections.sqlite 'SELECT cause, count(*) FROM handovers GROUP BY cause'

Examples:
  segue projections status
  segue projections update --follow
  segue projections rebuild handovers sessions
  segue projections verify`

export function projectionsCommand(context: CommandContext): Command {
  const command = new Command('projections')
    .description('Look after the tables that are made of the log.')
    .addHelpText('after', examples)
  for (const each of [status, update, rebuild, verify]) command.addCommand(each(context))
  return command
}

const status = (context: CommandContext): Command =>
  addReadModelFlags(new Command('status').description('Show how far each projection is, and whether one has stopped.'))
    .addOption(flag('--digest', 'add a hash of every table: equal for equal tables'))
    .addOption(flag('--json', 'print one JSON object'))
    .action((flags: { readonly json?: boolean; readonly digest?: boolean }, self: Command) =>
      usingReadModel(context, self, async ({ model }) => show(context, model, flags)),
    )

const update = (context: CommandContext): Command =>
  addReadModelFlags(new Command('update').description('Bring the tables up to the end of the log.'))
    .addOption(flag('--follow', 'go on while the log grows'))
    .addOption(flag('--retry', 'let projections that have stopped try the same event again'))
    .addOption(flag('--json', 'print one JSON object'))
    .action((flags: { readonly follow?: boolean; readonly retry?: boolean; readonly json?: boolean }, self: Command) =>
      usingReadModel(context, self, async (reading) => {
        if (flags.retry === true) retryProjections(reading.model)
        await catchingUp(context, reading)
        if (flags.follow === true) await following(reading.catchUp)
        show(context, reading.model, flags)
      }),
    )

const rebuild = (context: CommandContext): Command =>
  addReadModelFlags(new Command('rebuild').description('Empty tables and make them again from the first event.'))
    .argument('[names...]', 'projections; all when none is named')
    .addOption(flag('--json', 'print one JSON object'))
    .action((names: ReadonlyArray<string>, flags: { readonly json?: boolean }, self: Command) => {
      const unknown = names.find((name) => !projections.some((each) => each.name === name))
      if (unknown !== undefined) {
        const known = projections.map(({ name }) => name).join(', ')
        throw new UsageError(`there is no projection "${unknown}": give some of ${known}`)
      }
      return usingReadModel(context, self, async (reading) => {
        resetProjections(reading.model, names)
        await catchingUp(context, reading)
        show(context, reading.model, flags)
      })
    })

const verify = (context: CommandContext): Command =>
  addReadModelFlags(
    new Command('verify').description('Make all tables a second time and compare; ends with 1 where they differ.'),
  ).action((_: unknown, self: Command) =>
    usingReadModel(context, self, async (reading) => {
      await catchingUp(context, reading)
      const compared = await compareWithRebuild(reading)
      const rows = compared.map((each) => [each.table, outcomeOf(each), each.kept])
      for (const line of tableLines([{ title: 'TABLE' }, { title: 'MADE AGAIN' }, { title: 'SHA-256' }], rows)) {
        context.stdout.write(`${line}\n`)
      }
      context.done(compared.every((each) => outcomeOf(each) !== 'DIFFERENT') ? statusOk : statusFailed)
    }),
  )

/** `archived`: what it follows from is not in the log any more, so that nothing can be said of it without the archive. */
const outcomeOf = ({ kept, made, archived }: TableComparison): string =>
  kept === made ? 'same' : archived ? 'archived' : 'DIFFERENT'

async function following(catchUp: () => Promise<void>): Promise<void> {
  const stop = untilAskedToStop({ info: () => undefined, warn: () => undefined })
  const isOver = stop.asked.then(() => true)
  try {
    while (!(await Promise.race([isOver, pause(followEveryMs, false)]))) await catchUp()
  } finally {
    stop.release()
  }
}

function show(
  context: CommandContext,
  model: ReadModel,
  { json = false, digest = false }: { readonly json?: boolean; readonly digest?: boolean },
): void {
  const all = projectionStatus(model)
  const lines = json ? [JSON.stringify({ file: model.path, projections: all })] : statusLines(all)
  for (const line of lines) context.stdout.write(`${line}\n`)
  if (digest) {
    const rows = model.projections.flatMap(({ tables }) => tables.map((each) => [each.name, tableDigest(model, each)]))
    for (const line of tableLines([{ title: 'TABLE' }, { title: 'SHA-256' }], rows)) context.stdout.write(`${line}\n`)
  }
  context.done(all.some(({ failure }) => failure !== null) ? statusFailed : statusOk)
}

/** How projections stand, for people. */
export function statusLines(all: ReadonlyArray<ProjectionStatus>): ReadonlyArray<string> {
  const rows = all.map(({ name, version, events, at, failure, tables }) => [
    name,
    failure === null ? 'running' : 'STOPPED',
    events.toLocaleString('en'),
    at === null ? '-' : `${new Date(at).toISOString().slice(0, 19)}Z`,
    String(version),
    tables
      .filter(({ internal }) => !internal)
      .map((each) => `${each.name} ${each.rows.toLocaleString('en')}`)
      .join(', '),
  ])
  const columns = [
    { title: 'PROJECTION' },
    { title: 'STATE' },
    { title: 'EVENTS', align: 'right' as const },
    { title: 'UP TO' },
    { title: 'VERSION', align: 'right' as const },
    { title: 'ROWS' },
  ]
  const stopped = all.flatMap(({ name, failure }) => (failure === null ? [] : [stoppedText(name, failure)]))
  return [...tableLines(columns, rows), ...stopped, ...lackingTexts(all)]
}
