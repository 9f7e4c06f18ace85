import { Command } from 'commander'
import { describeConnection } from '../../events/stores/index.js'
import { replayLines } from '../../runtime/fleet/index.js'
import { examineLog } from '../../runtime/process/index.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { addLogFlags, logOf } from '../log.js'
import { statusFailed, statusOk } from '../usage.js'

interface ReplayFlags {
  readonly all?: boolean
  readonly json?: boolean
}

const examples = `
Examples:
  segue replay --all
  segue replay --all --data /var/lib/segue
  segue replay --eventstore sqlite:./events.sqlite --json`

export function replayCommand(context: CommandContext): Command {
  const command = new Command('replay')
    .description('Derive every recorded decision again from the facts, and report the first difference.')
    .addOption(flag('--all', 'every decision of the log (the default)'))
  return addLogFlags(command)
    .addOption(flag('--json', 'print the verdict as one JSON object'))
    .addHelpText('after', examples)
    .action(async ({ json = false }: ReplayFlags, self: Command) => {
      const log = await logOf(self, context.env)
      const { events, verdict } = await examineLog(log)
      const where = describeConnection(log)
      const lines = json
        ? [JSON.stringify({ store: where, events, ...verdict })]
        : [`${where}: ${events} events`, ...replayLines(verdict)]
      for (const line of lines) context.stdout.write(`${line}\n`)
      context.done(verdict.identical ? statusOk : statusFailed)
    })
}
