import { Command } from 'commander'
import { describeConnection } from '../../events/stores/index.js'
import { replayStore } from '../../runtime/logs/replay.js'
import { replayLines } from '../../runtime/logs/verdictLines.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { addLogFlags, logOf } from '../log.js'
import { statusFailed, statusOk, UsageError } from '../usage.js'

interface ReplayFlags {
  readonly all?: boolean
  readonly handover?: string
  readonly stream?: string
  readonly json?: boolean
}

const examples = `
Examples:
  segue replay --all
  segue replay --all --data /var/lib/segue
  segue replay --handover main-h1
  segue replay --stream server-s1
  segue replay --eventstore sqlite:./events.sqlite --json`

export function replayCommand(context: CommandContext): Command {
  const command = new Command('replay')
    .description('Derive every recorded decision again from the facts, and report the first difference.')
    .addOption(flag('--all', 'every decision of the log (the default)'))
    .addOption(flag('--handover <id>', 'decisions of the stream and of both servers of this handover'))
    .addOption(flag('--stream <id>', 'decisions of one event stream, e.g. server-s1; a name alone is a media stream'))
  return addLogFlags(command)
    .addOption(flag('--json', 'print the verdict as one JSON object'))
    .addHelpText('after', examples)
    .action(async ({ all, handover, stream, json = false }: ReplayFlags, self: Command) => {
      if ([all, handover, stream].filter((each) => each !== undefined).length > 1) {
        throw new UsageError('--all, --handover and --stream each say what to replay: give one of them')
      }
      const log = await logOf(self, context.env)
      const part = handover !== undefined ? { handover } : stream !== undefined ? { stream } : undefined
      const { events, verdict } = await replayStore(log, part)
      const where = describeConnection(log)
      const lines = json
        ? [JSON.stringify({ store: where, events, ...verdict })]
        : [`${where}: ${events} events`, ...replayLines(verdict)]
      for (const line of lines) context.stdout.write(`${line}\n`)
      context.done(verdict.identical ? statusOk : statusFailed)
    })
}
