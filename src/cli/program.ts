import { Command, CommanderError } from 'commander'
import { auditCommand } from './commands/audit.js'
import { controlCommand } from './commands/control.js'
import { doctorCommand } from './commands/doctor.js'
import { evaluateCommand } from './commands/evaluate.js'
import { eventsCommand } from './commands/events.js'
import { exportCommand } from './commands/export.js'
import { ingestCommand } from './commands/ingest.js'
import { keysCommand } from './commands/keys.js'
import { maintenanceCommand } from './commands/maintenance.js'
import { mediaCommand } from './commands/media.js'
import { modelsCommand } from './commands/models.js'
import { projectionsCommand } from './commands/projections.js'
import { replayCommand } from './commands/replay.js'
import { reportCommand } from './commands/report.js'
import { retentionCommand } from './commands/retention.js'
import { scoreCommand } from './commands/score.js'
import { simulateCommand } from './commands/simulate.js'
import { simulateHealthCommand } from './commands/simulateHealth.js'
import { trainCommand } from './commands/train.js'
import { upCommand } from './commands/up.js'
import { watchCommand } from './commands/watch.js'
import { whatIfCommand } from './commands/whatIf.js'
import { programVersion } from '../runtime/programVersion.js'
import type { CommandContext } from './context.js'
import { UsageError } from './usage.js'

const examples = `
Every option can be given as an environment variable, too: --memory-limit as SEGUE_MEMORY_LIMIT.
SEGUE_DEBUG=1 adds stack traces to errors.

Begin with:
  segue doctor
  segue up`

/** All commands. Parsing throws CommanderError or UsageError; nothing ends the process. */
export function buildProgram(context: CommandContext): Command {
  const program = new Command('segue')
    .description('Predictive handover for live media: leave a failing server before it dies.')
    .version(programVersion(), '-v, --version')
    .addHelpText('after', examples)
    .helpCommand('help [command]', 'explain a command')
  const commands = [
    upCommand(context),
    controlCommand(context),
    mediaCommand(context),
    ingestCommand(context),
    watchCommand(context),
    maintenanceCommand(context),
    eventsCommand(context),
    projectionsCommand(context),
    reportCommand(context),
    exportCommand(context),
    replayCommand(context),
    whatIfCommand(context),
    auditCommand(context),
    keysCommand(context),
    retentionCommand(context),
    simulateCommand(context),
    simulateHealthCommand(context),
    evaluateCommand(context),
    trainCommand(context),
    modelsCommand(context),
    scoreCommand(context),
    doctorCommand(context),
  ]
  for (const command of commands) program.addCommand(command)
  return settled(program, context)
}

function settled(command: Command, context: CommandContext): Command {
  const { stdout } = context
  for (const sub of command.commands) settled(sub, context)
  return command
    .exitOverride()
    .allowExcessArguments(false)
    .showSuggestionAfterError(true)
    .configureHelp({ helpWidth: helpWidth(stdout.columns) })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      // Told once, by whoever catches the error.
      writeErr: () => undefined,
      outputError: () => undefined,
    })
}

const helpWidth = (columns: number | undefined): number => Math.max(80, Math.min(120, columns ?? 100))

/** What an error of parsing means: nothing was wrong (help was asked for), or one line that says what was. */
export function usageProblem(error: unknown, command: string): string | null | undefined {
  if (error instanceof UsageError) return `${command}: ${error.message}`
  if (!(error instanceof CommanderError)) return undefined
  if (error.exitCode === 0 && error.code !== 'commander.help') return null
  if (error.code === 'commander.help') return `${command}: say what to do; "segue --help" lists the commands`
  const text = withoutSecrets(error.message)
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')
  return `${command}: ${text}; see "${command} --help"`
}

/** The addresses of NATS and of an event store may hold a password: they are not repeated. */
const withoutSecrets = (text: string): string =>
  text.replace(/(option '--(?:nats <url>|eventstore <where>)') (argument|value) '.*'( from env '\w+')? is/, '$1$3 is')
