import { Command } from 'commander'
import { fleetDefaults, writeFleet } from '../../simulation/health/index.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { statusOk } from '../usage.js'
import { id, number, whole } from '../values.js'

interface SimulateHealthFlags {
  readonly out: string
  readonly seed: number
  readonly servers: number
  readonly hours: number
  readonly step: number
  readonly variety: number
  readonly family: string
}

const examples = `
Example:
  segue simulate-health --out fleet/ --seed 7 --servers 20
  segue evaluate --data fleet/`

export function simulateHealthCommand({ done, stdout }: CommandContext): Command {
  return new Command('simulate-health')
    .description('Write the telemetry of a simulated fleet with labelled faults, as a data set for "segue evaluate".')
    .addOption(flag('--out <dir>', 'folder of the data set').makeOptionMandatory())
    .addOption(
      flag('--seed <number>', 'the same seed gives the same files', { read: whole(0, 2 ** 31 - 1), default: 1 }),
    )
    .addOption(flag('--servers <number>', 'servers of the fleet', { read: whole(1, 1_000), default: 12 }))
    .addOption(
      flag('--hours <number>', 'hours with faults, after six without', { read: number(1, 1_000), default: 48 }),
    )
    .addOption(flag('--step <seconds>', 'sampling interval', { read: number(0.2, 300), default: 5 }))
    .addOption(
      flag('--variety <number>', 'how much servers differ in level and noise; 1 is usual', {
        read: number(0, 3),
        default: 1,
      }),
    )
    .addOption(flag('--family <name>', 'name of the fleet; machines are called after it', { read: id, default: 'sim' }))
    .addHelpText('after', examples)
    .action(async ({ out, seed, servers, hours, step, variety, family }: SimulateHealthFlags) => {
      const options = { ...fleetDefaults, testHours: hours, stepS: step, variety }
      await writeFleet(out, { family, seed, servers, options })
      stdout.write(`${out}: ${servers} servers, ${hours} h\n`)
      done(statusOk)
    })
}
