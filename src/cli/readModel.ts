import type { Command, Option } from 'commander'
import { archivedBeginnings } from '../events/stores/archive/index.js'
import type { StoreConnection } from '../events/stores/index.js'
import { defaultDataRoot } from '../runtime/dataDirectory.js'
import { readModelPath, withReadModel, type Reading } from '../runtime/projecting/index.js'
import type { CommandContext } from './context.js'
import { flag } from './flags.js'
import { addLogFlags, logOf } from './log.js'
import { noteArchived } from './output/archived.js'
import { ProgressLine } from './output/progress.js'

export const projectionsFlag = (): Option =>
  flag('--projections <file>', 'where the projections are kept (default: projections.sqlite beside the log)')

/** The flags of commands that read what was made of a log. */
export const addReadModelFlags = (command: Command): Command => addLogFlags(command).addOption(projectionsFlag())

/** The file of the projections of a log: as given, or where every process looks for it. */
export const projectionsOf = (
  log: StoreConnection,
  { projections }: { readonly projections?: string },
  env: NodeJS.ProcessEnv,
): string => projections ?? readModelPath(log, defaultDataRoot({ env }))

/** Opens the log that the command names with its projections. */
export async function usingReadModel<T>(
  context: CommandContext,
  command: Command,
  use: (reading: Reading, path: string) => Promise<T>,
): Promise<T> {
  const log = await logOf(command, context.env)
  const path = projectionsOf(log, command.opts<{ readonly projections?: string }>(), context.env)
  return withReadModel({ log, path }, (reading) => use(reading, path))
}

/** Brings the projections up to date, and shows how far it is. */
export async function catchingUp(context: CommandContext, { store, catchUp }: Reading): Promise<void> {
  noteArchived(context, await archivedBeginnings(store))
  const progress = new ProgressLine(context, 'projections')
  await catchUp(({ events, at }) =>
    progress.show(null, `${events.toLocaleString('en')} events, up to ${new Date(at).toISOString().slice(0, 19)}Z`),
  ).finally(() => progress.end())
}
