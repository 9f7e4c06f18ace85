import { Command, CommanderError } from 'commander'
import { programVersion } from '../runtime/programVersion.js'
import type { CommandContext } from './context.js'
import { UsageError } from './usage.js'

const examples = `
Every option can be given as an environment variable, too: --memory-limit as SEGUE_MEMORY_LIMIT.
SEGUE_DEBUG=1 adds stack traces to errors.

Begin with:
  segue doctor
  segue up`

/** A command is loaded when it is asked for: no process waits for modules that it does not need. */
const loaders: Readonly<Record<string, () => Promise<(context: CommandContext) => Command>>> = {
  up: async () => (await import('./commands/up.js')).upCommand,
  control: async () => (await import('./commands/control.js')).controlCommand,
  media: async () => (await import('./commands/media.js')).mediaCommand,
  ingest: async () => (await import('./commands/ingest.js')).ingestCommand,
  watch: async () => (await import('./commands/watch.js')).watchCommand,
  maintenance: async () => (await import('./commands/maintenance.js')).maintenanceCommand,
  events: async () => (await import('./commands/events.js')).eventsCommand,
  projections: async () => (await import('./commands/projections.js')).projectionsCommand,
  report: async () => (await import('./commands/report.js')).reportCommand,
  export: async () => (await import('./commands/export.js')).exportCommand,
  replay: async () => (await import('./commands/replay.js')).replayCommand,
  'what-if': async () => (await import('./commands/whatIf.js')).whatIfCommand,
  audit: async () => (await import('./commands/audit.js')).auditCommand,
  keys: async () => (await import('./commands/keys.js')).keysCommand,
  retention: async () => (await import('./commands/retention.js')).retentionCommand,
  simulate: async () => (await import('./commands/simulate.js')).simulateCommand,
  'simulate-health': async () => (await import('./commands/simulateHealth.js')).simulateHealthCommand,
  evaluate: async () => (await import('./commands/evaluate.js')).evaluateCommand,
  train: async () => (await import('./commands/train.js')).trainCommand,
  models: async () => (await import('./commands/models.js')).modelsCommand,
  score: async () => (await import('./commands/score.js')).scoreCommand,
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand,
}

const versionFlags = ['-v', '--version']

/** Whether `segue` has a command of this name. */
export const isCommand = (name: string): boolean => Object.hasOwn(loaders, name)

/**
 * The program with the one command that is named, or else with all of them, as its help lists them.
 * Parsing throws CommanderError or UsageError; nothing ends the process.
 */
export async function buildProgram(context: CommandContext, asked: string): Promise<Command> {
  const program = new Command('segue')
    .description('Predictive handover for live media: leave a failing server before it dies.')
    .version(programVersion(), versionFlags.join(', '))
    .addHelpText('after', examples)
    .helpCommand('help [command]', 'explain a command')
  const isAloneAsked = isCommand(asked) || versionFlags.includes(asked)
  for (const [name, load] of Object.entries(loaders)) {
    if (name === asked || !isAloneAsked) program.addCommand((await load())(context))
  }
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
