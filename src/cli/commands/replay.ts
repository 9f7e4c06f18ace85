import { Command } from 'commander'
import { defaultDataRoot } from '../../runtime/dataDirectory.js'
import { replayLines } from '../../runtime/fleet/index.js'
import { examineLog, newestRun, storePathIn } from '../../runtime/process/index.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { statusFailed, statusOk, UsageError } from '../usage.js'

interface ReplayFlags {
  readonly all?: boolean
  readonly data?: string
  readonly store?: string
  readonly json?: boolean
}

const examples = `
Examples:
  segue replay --all
  segue replay --all --data /var/lib/segue
  segue replay --store ./events.sqlite --json`

export function replayCommand(context: CommandContext): Command {
  const { env } = context
  return new Command('replay')
    .description('Derive every recorded decision again from the facts, and report the first difference.')
    .addOption(flag('--all', 'every decision of the log (the default)'))
    .addOption(flag('--data <dir>', 'data folder of the log (default: the newest run of segue up)'))
    .addOption(flag('--store <file>', 'the log itself, instead of --data'))
    .addOption(flag('--json', 'print the verdict as one JSON object'))
    .addHelpText('after', examples)
    .action(async ({ data, store, json = false }: ReplayFlags) => {
      if (data !== undefined && store !== undefined)
        throw new UsageError('--data and --store both name a log: give one of them')
      const path = store ?? (await storeIn(data, defaultDataRoot({ env })))
      const { events, verdict } = await examineLog(path)
      const lines = json
        ? [JSON.stringify({ store: path, events, ...verdict })]
        : [`${path}: ${events} events`, ...replayLines(verdict)]
      for (const line of lines) context.stdout.write(`${line}\n`)
      context.done(verdict.identical ? statusOk : statusFailed)
    })
}

async function storeIn(data: string | undefined, root: string): Promise<string> {
  const folder = data ?? (await newestRun(root))
  if (folder !== undefined) return storePathIn(folder)
  throw new UsageError(`there is no run below ${root}: say which log with --data or --store`)
}
