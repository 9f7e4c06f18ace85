import type { Command } from 'commander'
import { connectionForms, sqliteAt, type StoreConnection } from '../events/stores/index.js'
import { defaultDataRoot, newestRun, storePathIn } from '../runtime/dataDirectory.js'
import { flag } from './flags.js'
import { UsageError } from './usage.js'
import { eventStore } from './values.js'

interface LogFlags {
  readonly eventstore?: StoreConnection
  readonly store?: string
  readonly data?: string
  readonly archive?: string
}

const names = ['eventstore', 'store', 'data'] as const
type Name = (typeof names)[number]

/** The flags by which a command that reads a log is told which one; `logOf` reads them. */
export const addLogFlags = (command: Command): Command =>
  command
    .addOption(flag('--data <dir>', 'data folder of the log (default: the newest run of segue up)'))
    .addOption(flag('--store <file>', 'the file of the log, instead of --data'))
    .addOption(flag('--eventstore <where>', `the log, instead of --data: ${connectionForms}`, { read: eventStore }))
    .addOption(flag('--archive <dir>', 'folder with what was archived of the log, to be read with it'))

/**
 * The log that a command was told to read. What stands on the command line goes before what the environment says.
 * @throws UsageError for two logs at once, or when there is none.
 */
export async function logOf(command: Command, env: NodeJS.ProcessEnv): Promise<StoreConnection> {
  const log = await logWithout(command, env)
  const { archive } = command.opts<LogFlags>()
  return archive === undefined || log.type === 'memory' ? log : { ...log, archive }
}

async function logWithout(command: Command, env: NodeJS.ProcessEnv): Promise<StoreConnection> {
  const flags = command.opts<LogFlags>()
  const given = (source: string): ReadonlyArray<Name> =>
    names.filter((name) => command.getOptionValueSource(name) === source)
  const [first, second] = given('cli')
  if (first !== undefined && second !== undefined) {
    throw new UsageError(`--${second} and --${first} both name a log: give one of them`)
  }
  // SEGUE_DATA alone also says where keys are, so SEGUE_EVENTSTORE is the more precise of the two.
  switch (first ?? given('env')[0]) {
    case 'eventstore':
      if (flags.eventstore !== undefined) return flags.eventstore
      break
    case 'store':
      if (flags.store !== undefined) return sqliteAt(flags.store)
      break
    case 'data':
      if (flags.data !== undefined) return sqliteAt(storePathIn(flags.data))
      break
    default:
  }
  return newestLog(defaultDataRoot({ env }))
}

async function newestLog(root: string): Promise<StoreConnection> {
  const run = await newestRun(root)
  if (run !== undefined) return sqliteAt(storePathIn(run))
  throw new UsageError(`there is no run below ${root}: say which log with --data or --eventstore`)
}
