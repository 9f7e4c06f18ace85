import { Command, InvalidArgumentError } from 'commander'
import {
  coverageLines,
  faultKinds,
  plantNamed,
  plants,
  runScenario,
  runSimulation,
  scenarioOf,
  violationLines,
  type FaultKind,
  type SimulationResult,
} from '../../simulation/index.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { statusFailed, statusOk, UsageError } from '../usage.js'
import { whole, type Reader } from '../values.js'

interface SimulateFlags {
  readonly seed: number
  readonly handovers: number
  readonly faults?: ReadonlyArray<FaultKind>
  readonly plant?: string
  readonly world?: number
  readonly trace?: boolean
  readonly verbose?: boolean
  readonly json?: boolean
}

const examples = `
Faults, several with commas between them:
${wrapped(faultKinds)}

Examples:
  segue simulate --seed 7 --handovers 10000
  segue simulate --seed 7 --faults crash-server,store-unknown
  segue simulate --plant list
  segue simulate --plant no-fence`

const seedMax = 2 ** 31 - 1

const faults: Reader<ReadonlyArray<FaultKind>> = (text) => {
  if (text === 'none') return []
  if (text === 'all') return faultKinds
  return text.split(',').map((name) => {
    const kind = faultKinds.find((each) => each === name.trim())
    if (kind === undefined) throw new InvalidArgumentError(`"${name}" is no fault; see "segue simulate --help".`)
    return kind
  })
}

export function simulateCommand(context: CommandContext): Command {
  return new Command('simulate')
    .description('Run handovers in a seeded world where everything fails, and check the invariants of each.')
    .addOption(flag('--seed <number>', 'the same seed gives the same run', { read: whole(0, seedMax), default: 1 }))
    .addOption(flag('--handovers <number>', 'how many to see end', { read: whole(1, 1_000_000_000), default: 10_000 }))
    .addOption(flag('--faults <list>', 'what may go wrong: all, none, or a list', { read: faults, defaultText: 'all' }))
    .addOption(flag('--plant <name>', 'put in a known defect, to see that it is found; list names them'))
    .addOption(flag('--world <number>', 'run this one world of the seed only', { read: whole(0, seedMax) }))
    .addOption(flag('--trace', 'with --world: print everything that happens, and a hash over it'))
    .addOption(flag('--verbose', 'also print how often each fault befell each step of a handover'))
    .addOption(flag('--json', 'print the result as one JSON object, in the last line'))
    .addHelpText('after', examples)
    .action(async ({ json = false, verbose = false, trace = false, plant, ...options }: SimulateFlags) => {
      if (plant === 'list') return listPlants(context)
      if (plant !== undefined && plantNamed(plant) === undefined) {
        throw new UsageError(`there is no planted defect "${plant}"; --plant list names them`)
      }
      if (trace) await printTrace(context, { ...options, ...(plant === undefined ? {} : { plant }) })
      const { coverage, ...result } = await runSimulation({ ...options, ...(plant === undefined ? {} : { plant }) })
      const told = [...result.violations.flatMap(violationLines), ...(verbose ? coverageLines(coverage) : [])]
      const lines = [...told, json ? JSON.stringify(result) : summary(result)]
      for (const line of lines) context.stdout.write(`${line}\n`)
      context.done(result.violations.length === 0 ? statusOk : statusFailed)
    })
}

async function printTrace(
  { stdout }: CommandContext,
  { seed, world, faults: kinds = faultKinds, plant }: SimulateFlags,
): Promise<void> {
  if (world === undefined) throw new UsageError('--trace prints one world; say which with --world <number>')
  const defect = plant === undefined ? null : (plantNamed(plant) ?? null)
  const { trace } = await runScenario(scenarioOf(seed, world, kinds), defect, true)
  for (const line of trace?.lines ?? []) stdout.write(`${line}\n`)
  stdout.write(`sha256 of the trace: ${trace?.hash() ?? ''}\n`)
}

function listPlants({ stdout, done }: CommandContext): void {
  const width = Math.max(...plants.map(({ name }) => name.length))
  for (const { name, meaning } of plants) stdout.write(`${name.padEnd(width)}  ${meaning}\n`)
  done(statusOk)
}

type Result = Omit<SimulationResult, 'coverage'>

const summary = ({ seed, handovers, completed, aborted, violations, handoversPerSecond }: Result): string =>
  `seed ${seed}: ${handovers} handovers (${completed} completed, ${aborted} aborted), ` +
  `${violations.length} violation(s), ${handoversPerSecond} handovers/s`

function wrapped(names: ReadonlyArray<string>, widthMax = 76): string {
  const lines: string[] = []
  for (const name of names) {
    const line = lines.at(-1)
    if (line === undefined || line.length + name.length + 2 > widthMax) lines.push(`  ${name}`)
    else lines[lines.length - 1] = `${line}, ${name}`
  }
  return lines.join('\n')
}
