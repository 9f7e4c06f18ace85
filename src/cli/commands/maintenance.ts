import { readFile } from 'node:fs/promises'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { DateTime } from 'luxon'
import { CalendarError, readCalendar } from '../../runtime/maintenance/index.js'
import type { ServerMaintenance } from '../../runtime/control/maintenanceApi.js'
import type { CommandContext } from '../context.js'
import { askControl, controlFlag } from '../control.js'
import { flag } from '../flags.js'
import { UsageError } from '../usage.js'
import { duration, id } from '../values.js'

interface AddFlags {
  readonly control: string
  readonly from: string
  readonly for?: number
  readonly until?: string
  readonly rule?: string
  readonly timezone: string
  readonly reason: string
}

const timeForms = 'ISO 8601 (with a zone, or in --timezone), or +10m from now'
const importAheadMs = 366 * 86_400_000

const examples = `
Streams leave a server a minute before its window opens, and may come back when it is over.

Examples:
  segue maintenance add s1 --from 2026-12-06T03:00Z --for 90m --reason 'new kernel'
  segue maintenance add s1 --from +10m --for 1h
  segue maintenance add s1 --from 2026-12-06T03:00 --for 1h --rule 'FREQ=WEEKLY;BYDAY=SU' --timezone Europe/Berlin
  segue maintenance import s1 windows.ics
  segue maintenance list
  segue maintenance cancel s1 w4f9a33c1`

export function maintenanceCommand(context: CommandContext): Command {
  const command = new Command('maintenance')
    .description('Plan when servers are not to be used, so that their streams leave in time.')
    .addHelpText('after', examples)
  for (const sub of [addCommand(context), listCommand(context), cancelCommand(context), importCommand(context)]) {
    command.addCommand(sub)
  }
  return command
}

const server = () => new Argument('<server>', 'name of the server').argParser(id)

function addCommand({ stdout }: CommandContext): Command {
  return new Command('add')
    .description('Schedule a window, or with --rule one that comes again and again.')
    .addArgument(server())
    .addOption(controlFlag())
    .addOption(new Option('--from <time>', `when it opens: ${timeForms}`).makeOptionMandatory())
    .addOption(new Option('--for <duration>', 'how long it stays open, such as 45m, 2h or 1d').argParser(duration))
    .addOption(new Option('--until <time>', 'when it closes, instead of --for'))
    .addOption(new Option('--rule <rrule>', 'recurrence rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=SU'))
    .addOption(new Option('--timezone <zone>', 'time zone of times without one, and of the rule').default('UTC'))
    .addOption(new Option('--reason <text>', 'why; shown in lists and recorded').default('maintenance'))
    .action(async (of: string, flags: AddFlags) => {
      const answer = await askControl(
        flags.control,
        'POST',
        `/api/servers/${of}/maintenance`,
        bodyOf(flags, Date.now()),
      )
      const { window, plan } = answer as { readonly window?: string; readonly plan?: string }
      stdout.write(`${window ?? plan}\n`)
    })
}

/** What the control plane is asked for. Throws UsageError. */
export function bodyOf(flags: Omit<AddFlags, 'control'>, now: number): object {
  const { timezone, reason, rule } = flags
  const from = timeOf('--from', flags.from, timezone, now)
  if ((flags.for === undefined) === (flags.until === undefined)) {
    throw new UsageError('say how long the window is: give --for or --until')
  }
  const until = flags.until === undefined ? from.plus(flags.for ?? 0) : timeOf('--until', flags.until, timezone, now)
  const durationMs = until.toMillis() - from.toMillis()
  if (durationMs <= 0) throw new UsageError('the window ends before it begins: --until must be after --from')
  if (rule === undefined) return { from: from.toMillis(), until: until.toMillis(), reason }
  const first = from.setZone(timezone).toFormat("yyyy-MM-dd'T'HH:mm:ss")
  return { rule, timezone, first, durationMs, reason }
}

function timeOf(name: string, text: string, zone: string, now: number): DateTime {
  const time = text.startsWith('+')
    ? DateTime.fromMillis(now + lengthOf(text.slice(1)), { zone })
    : DateTime.fromISO(text, { zone, setZone: true })
  if (time.isValid) return time
  if (time.invalidReason === 'unsupported zone') {
    throw new UsageError(`"${zone}" is no time zone: give one such as Europe/Berlin`)
  }
  throw new UsageError(`${name} "${text}" is no time: give it like 2026-12-06T03:00Z, or +10m from now`)
}

function lengthOf(text: string): number {
  try {
    return duration(text)
  } catch (error) {
    if (error instanceof InvalidArgumentError) return Number.NaN
    throw error
  }
}

function listCommand({ stdout }: CommandContext): Command {
  return new Command('list')
    .description('Show the windows to come and the plans of all servers, or of one.')
    .addArgument(server().argOptional())
    .addOption(controlFlag())
    .addOption(flag('--json', 'print them as one JSON array'))
    .action(
      async (of: string | undefined, { control, json }: { readonly control: string; readonly json?: boolean }) => {
        const all = (await askControl(control, 'GET', '/api/maintenance')) as ReadonlyArray<ServerMaintenance>
        const wanted = all.filter((each) => of === undefined || each.server === of)
        if (of !== undefined && wanted.length === 0) throw new UsageError(`no server ${of} has joined`)
        const lines = json === true ? [JSON.stringify(wanted)] : describe(wanted)
        for (const line of lines) stdout.write(`${line}\n`)
      },
    )
}

function describe(servers: ReadonlyArray<ServerMaintenance>): ReadonlyArray<string> {
  const rows = servers.flatMap(({ server: name, windows, plans, due }) => [
    ...plans.map((plan) => {
      const minutes = plan.durationMs / 60_000
      return [name, plan.plan, plan.rule, `${plan.first} ${plan.timezone}, ${minutes} min`, plan.reason]
    }),
    ...windows.map(({ window, from, until, reason }) => {
      return [name, window, time(from), time(until), due === window ? `${reason} (under way)` : reason]
    }),
  ])
  if (rows.length === 0) return ['nothing is planned']
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const time = (ms: number): string => DateTime.fromMillis(ms, { zone: 'UTC' }).toFormat("yyyy-MM-dd'T'HH:mm:ss'Z'")

function cancelCommand({ stdout }: CommandContext): Command {
  return new Command('cancel')
    .description('Take a window back, or a plan with all of its windows.')
    .addArgument(server())
    .argument('<window>', 'name of the window or plan, as list shows it')
    .addOption(controlFlag())
    .action(async (of: string, window: string, { control }: { readonly control: string }) => {
      await askControl(control, 'DELETE', `/api/servers/${of}/maintenance/${encodeURIComponent(window)}`)
      stdout.write(`cancelled ${window}\n`)
    })
}

function importCommand({ stdout }: CommandContext): Command {
  return new Command('import')
    .description(
      'Schedule the events of an iCalendar file (.ics) for the coming year. Importing again adds what is new.',
    )
    .addArgument(server())
    .argument('<file>', 'the iCalendar file')
    .addOption(controlFlag())
    .action(async (of: string, file: string, { control }: { readonly control: string }) => {
      const windows = windowsIn(file, await read(file), Date.now())
      for (const window of windows) await askControl(control, 'POST', `/api/servers/${of}/maintenance`, window)
      stdout.write(`${windows.length} window(s) of ${of} scheduled\n`)
    })
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function windowsIn(file: string, text: string, now: number) {
  try {
    return readCalendar(text, now, now + importAheadMs)
  } catch (error) {
    if (error instanceof CalendarError) throw new UsageError(`${file}: ${error.message}`)
    throw error
  }
}
