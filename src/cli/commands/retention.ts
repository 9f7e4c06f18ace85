import { Command } from 'commander'
import { archivesIn } from '../../events/stores/archive/index.js'
import { describeConnection } from '../../events/stores/index.js'
import { archiveOld, beginningsOf } from '../../runtime/logs/retention.js'
import { eventsOf } from '../../runtime/retention/index.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { addLogFlags, logOf } from '../log.js'
import { projectionsFlag, projectionsOf } from '../readModel.js'
import { statusOk, UsageError } from '../usage.js'
import { duration } from '../values.js'

const examples = `
Events of media servers (health samples, what was judged of them, alarms) that are older are written to Parquet files
below the folder, and cut off the log. In their place the log keeps what was made of them: a row for each day, the
alarms, and a signed cut from which hash chain and replay go on. A control plane does the same by itself with
--retain and --archive. What was interrupted is completed when it is run again.

Examples:
  segue retention run --older-than 30d --archive /var/lib/segue/archive --data /var/lib/segue
  segue retention status --data /var/lib/segue --archive /var/lib/segue/archive
  segue audit --data /var/lib/segue --archive /var/lib/segue/archive   the whole history, archives included`

export function retentionCommand(context: CommandContext): Command {
  return new Command('retention')
    .description('Archive old health samples, and keep what was made of them.')
    .addHelpText('after', examples)
    .addCommand(runCommand(context))
    .addCommand(statusCommand(context))
}

const count = (events: number): string => events.toLocaleString('en').replaceAll(',', ' ')

function runCommand(context: CommandContext): Command {
  const { stdout, env, done, logger } = context
  return addLogFlags(new Command('run').description('archive what is older, and cut it off the log'))
    .addOption(flag('--older-than <time>', 'such as 30d; whole UTC days from 1d on', { read: duration }))
    .addOption(flag('--keys <dir>', 'keys that sign the ledger (default: keys beside the file of the log)'))
    .addOption(projectionsFlag())
    .action(async (_flags: unknown, self: Command) => {
      const flags = self.opts<{
        readonly archive?: string
        readonly olderThan?: number
        readonly keys?: string
        readonly projections?: string
      }>()
      if (flags.archive === undefined) throw new UsageError('say where the archives are: --archive DIR')
      if (flags.olderThan === undefined) throw new UsageError('say what is old: --older-than 30d')
      const { archive: _archive, ...log } = { archive: undefined, ...(await logOf(self, env)) }
      const { archives, events } = await archiveOld({
        ...{ log, dir: flags.archive, olderThanMs: flags.olderThan, logger: logger('retention') },
        projections: projectionsOf(log, flags, env),
        ...(flags.keys === undefined ? {} : { keysDir: flags.keys }),
        onArchived: ({ description: { name, streams } }) =>
          void stdout.write(`${name}: ${count(eventsOf(streams))} events of ${streams.length} servers\n`),
      })
      const result =
        archives.length === 0
          ? 'nothing is older'
          : `archived ${count(events)} events to ${flags.archive}, and cut them off`
      stdout.write(`${describeConnection(log)}: ${result}\n`)
      done(statusOk)
    })
}

function statusCommand({ stdout, env, done }: CommandContext): Command {
  return addLogFlags(new Command('status').description('say what was archived of a log'))
    .addOption(flag('--json', 'print it as one JSON object'))
    .action(async ({ archive, json }: { readonly archive?: string; readonly json?: boolean }, self: Command) => {
      const { archive: _archive, ...log } = { archive: undefined, ...(await logOf(self, env)) }
      const beginnings = await beginningsOf(log)
      const archives = archive === undefined ? [] : archivesIn(archive)
      if (json === true) {
        stdout.write(`${JSON.stringify({ store: describeConnection(log), beginnings, archives })}\n`)
        return done(statusOk)
      }
      for (const { streamId, before, until } of beginnings) {
        const when = new Date(until).toISOString()
        stdout.write(`${streamId}: begins with event ${before}; archived up to ${when}\n`)
      }
      if (beginnings.length === 0) stdout.write(`${describeConnection(log)}: nothing was archived\n`)
      for (const { description } of archives) {
        const { name, streams, files } = description
        stdout.write(
          `${name}: ${count(eventsOf(streams))} events of ${streams.length} servers in ${files.length} files\n`,
        )
      }
      done(statusOk)
    })
}
