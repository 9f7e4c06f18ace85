import { Command } from 'commander'
import { formatDoctorReport, runDoctor } from '../../runtime/doctor.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { statusFailed, statusOk } from '../usage.js'

interface DoctorFlags {
  readonly data?: string
  readonly json?: boolean
}

const examples = `
Example:
  segue doctor --json`

export function doctorCommand(context: CommandContext): Command {
  return new Command('doctor')
    .description(
      'Examine this machine: node, ffmpeg, nats-server, SQLite, write access, disk and ports; and say what to do.',
    )
    .addOption(flag('--data <dir>', 'data folder to examine (default: that of the user)'))
    .addOption(flag('--json', 'print the report as one JSON object'))
    .addHelpText('after', examples)
    .action(async ({ data, json = false }: DoctorFlags) => {
      const report = await runDoctor({ env: context.env, ...(data === undefined ? {} : { dataRoot: data }) })
      context.stdout.write(`${json ? JSON.stringify(report) : formatDoctorReport(report)}\n`)
      context.done(report.status === 'fail' ? statusFailed : statusOk)
    })
}
