import { Command } from 'commander'
import { categories, type Position, type RecordedEvent } from '../../events/index.js'
import { openStore } from '../../events/stores/index.js'
import { summaryOf, unknownTypes, type EventFilter } from '../../projections/eventFilter.js'
import { untilAskedToStop } from '../../runtime/process/index.js'
import { checkPosition, followEvents, readEvents, type EventQuery } from '../../runtime/readEvents.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { addLogFlags, logOf } from '../log.js'
import { Lines } from '../output/lines.js'
import { UsageError } from '../usage.js'
import { moment, whole, words } from '../values.js'

interface EventsFlags {
  readonly stream?: ReadonlyArray<string>
  readonly category?: ReadonlyArray<string>
  readonly type?: ReadonlyArray<string>
  readonly kind?: 'fact' | 'decision'
  readonly correlation?: string
  readonly from?: number
  readonly until?: number
  readonly after?: string
  readonly limit?: number
  readonly backwards?: boolean
  readonly follow?: boolean
  readonly json?: boolean
}

const examples = `
A table on a terminal, one JSON object a line otherwise.

Examples:
  segue events --follow
  segue events --stream server-s1 --backwards --limit 20
  segue events --type InstabilityPredicted,ServerFailed --from 2h
  segue events --correlation main-h1
  segue events --category client --from 2026-11-22 --until 2026-11-23 > viewers.ndjson`

const backwardsLimitDefault = 100
const limitMax = 1_000_000

export function eventsCommand(context: CommandContext): Command {
  const command = new Command('events').description('Show events of the log, and follow it.')
  const at = moment(Date.now)
  return addLogFlags(command)
    .addOption(flag('--stream <ids>', 'of these event streams, such as server-s1 or stream-main', { read: words }))
    .addOption(flag('--category <names>', 'of all server, stream, client or model streams', { read: words }))
    .addOption(flag('--type <names>', 'of these types', { read: words }))
    .addOption(flag('--kind <kind>', 'facts or decisions only', { choices: ['fact', 'decision'] }))
    .addOption(flag('--correlation <id>', 'what belongs to one handover (main-h1) or to one fact (its id)'))
    .addOption(
      flag('--from <time>', 'not before this time: 2026-11-22, 2026-11-22T17:30:00Z, or 90m ago', { read: at }),
    )
    .addOption(flag('--until <time>', 'before this time', { read: at }))
    .addOption(flag('--after <position>', 'after this position of the log'))
    .addOption(flag('--limit <n>', 'at most so many', { read: whole(1, limitMax) }))
    .addOption(
      flag('--backwards', `the newest first (${backwardsLimitDefault} of them, unless --limit says otherwise)`),
    )
    .addOption(flag('--follow', 'go on with what is appended'))
    .addOption(flag('--json', 'one JSON object a line, on a terminal as well'))
    .addHelpText('after', examples)
    .action(async (flags: EventsFlags, self: Command) => {
      const query = queryOf(flags)
      const store = await openStore(await logOf(self, context.env), { readOnly: true })
      const lines = new Lines(context)
      try {
        if (query.after !== undefined) await checkPosition(store, query.after)
        const show = showing(context, lines, flags.json === true)
        if (flags.follow === true)
          await follow(lines, (stop) =>
            followEvents(
              store,
              query,
              async (event) => {
                await show(event)
                await lines.flush()
              },
              stop,
            ),
          )
        else
          for await (const event of readEvents(store, query)) {
            await show(event)
            if (lines.isClosed) break
          }
        await lines.flush()
      } finally {
        await store.close()
      }
    })
}

function queryOf(flags: EventsFlags): EventQuery {
  const {
    stream,
    category,
    type,
    kind,
    correlation,
    from,
    until,
    after,
    limit,
    backwards = false,
    follow = false,
  } = flags
  const [unknown] = unknownTypes(type ?? [])
  if (unknown !== undefined) throw new UsageError(`--type ${unknown}: there is no event of this name`)
  const [noCategory] = (category ?? []).filter((name) => !categories.some((known) => known === name))
  if (noCategory !== undefined) throw new UsageError(`--category ${noCategory}: give server, stream, client or model`)
  const [noStream] = (stream ?? []).filter((name) => !name.includes('-'))
  if (noStream !== undefined) {
    throw new UsageError(`--stream ${noStream}: give the whole id, such as server-${noStream} or stream-${noStream}`)
  }
  if (stream !== undefined && category !== undefined) throw new UsageError('--stream and --category: give one of them')
  if (from !== undefined && until !== undefined && from >= until) throw new UsageError('--from is not before --until')
  if (follow && backwards) throw new UsageError('--follow and --backwards contradict each other')
  if (follow && limit !== undefined) throw new UsageError('--follow has no end, so --limit means nothing with it')
  const most = limit ?? (backwards ? backwardsLimitDefault : undefined)
  const filter: EventFilter = {
    ...(stream === undefined ? {} : { streams: stream }),
    ...(category === undefined ? {} : { categories: category }),
    ...(type === undefined ? {} : { types: type }),
    ...(kind === undefined ? {} : { kind }),
    ...(correlation === undefined ? {} : { correlation }),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
  }
  return {
    ...filter,
    ...(after === undefined ? {} : { after: after as Position }),
    ...(most === undefined ? {} : { limit: most }),
    backwards,
  }
}

async function follow(lines: Lines, run: (stopped: Promise<unknown>) => Promise<void>): Promise<void> {
  const quiet = { info: () => undefined, warn: () => undefined }
  const stop = untilAskedToStop(quiet)
  let release: () => void = () => undefined
  const unread = new Promise<void>((resolve) => (release = resolve))
  const timer = setInterval(() => lines.isClosed && release(), 200)
  try {
    await run(Promise.race([stop.asked, unread]))
  } finally {
    clearInterval(timer)
    stop.release()
  }
}

const widths = { stream: 22, type: 24 }

/** How events are written: for people on a terminal, for programs otherwise. */
function showing({ stdout }: CommandContext, lines: Lines, json: boolean): (event: RecordedEvent) => Promise<void> {
  if (json || stdout.isTTY !== true) return (event) => lines.write(JSON.stringify(event))
  let isFirst = true
  return async (event) => {
    if (isFirst) {
      await lines.write(
        `${'TIME (UTC)'.padEnd(23)}  ${'STREAM'.padEnd(widths.stream)} ${'REV'.padStart(6)}  ${'TYPE'.padEnd(widths.type)}  DATA`,
      )
    }
    isFirst = false
    await lines.write(rowOf(event).slice(0, Math.max(60, stdout.columns ?? 120)))
  }
}

function rowOf(event: RecordedEvent): string {
  const time = new Date(event.metadata.occurredAt).toISOString().replace('T', ' ').replace('Z', '')
  const mark = event.metadata.kind === 'decision' ? '»' : ' '
  return `${time}  ${event.streamId.padEnd(widths.stream)} ${String(event.revision).padStart(6)} ${mark}${event.type.padEnd(widths.type)}  ${summaryOf(event)}`
}
