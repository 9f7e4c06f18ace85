import { Command } from 'commander'
import type { Coordinates } from '../../events/index.js'
import { runService, type Service, type ViewerReport } from '../../runtime/process/index.js'
import { findRenditions } from '../../runtime/services/renditions.js'
import { startWatch } from '../../runtime/services/watch.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { statusFailed, statusOk } from '../usage.js'
import { id, ids, location, number, urls, whole } from '../values.js'
import { UsageError } from '../usage.js'
import { viewerResult } from '../../runtime/fleet/result.js'

interface WatchFlags {
  readonly stream: string
  readonly from: ReadonlyArray<string>
  readonly latency: number
  readonly sessions: number
  readonly location?: Coordinates
  readonly rendition: ReadonlyArray<string>
  readonly duration?: number
  readonly json?: boolean
  readonly pipe?: boolean
}

const examples = `
Examples:
  segue watch --stream main --from http://127.0.0.1:7000 --duration 60 --json
  segue watch --pipe | ffplay -i -

The exit status is not 0 when a segment was missing, doubled or damaged.`

export function watchCommand(context: CommandContext): Command {
  return new Command('watch')
    .description('Watch a stream as a viewer that verifies every segment and measures gaps, duplicates and stalls.')
    .addOption(flag('--stream <name>', 'name of the stream', { default: 'main', read: id }))
    .addOption(
      flag('--from <urls>', 'control plane or media servers to begin at, with commas between them', {
        default: ['http://127.0.0.1:7000'],
        defaultText: 'http://127.0.0.1:7000',
        read: urls,
      }),
    )
    .addOption(
      flag('--latency <s>', 'playing position behind live, in seconds', { default: 1.5, read: number(0.5, 60) }),
    )
    .addOption(flag('--sessions <n>', 'viewers', { default: 1, read: whole(1, 10_000) }))
    .addOption(
      flag('--location <lat,lon>', 'where the viewers are, in degrees (default: they do not say)', { read: location }),
    )
    .addOption(
      flag('--rendition <names>', 'pictures to take: video (the largest), v360 and the like; all: a viewer for each', {
        default: ['video'],
        defaultText: 'video',
        read: ids,
      }),
    )
    .addOption(
      flag('--duration <s>', 'end after this many seconds (default: never)', { read: number(0.1, 31_536_000) }),
    )
    .addOption(flag('--json', 'print what was measured as one JSON object at the end'))
    .addOption(flag('--pipe', 'write the media of the first viewer to standard output, as fragmented MP4'))
    .addHelpText('after', examples)
    .action(async (flags: WatchFlags) => {
      const { stream, from, latency, sessions, location, rendition, duration, json = false, pipe = false } = flags
      if (json && pipe) throw new UsageError('--json and --pipe both want standard output: give one of them')
      const logger = context.logger(`watch ${stream}`)
      let reports: () => ReadonlyArray<ViewerReport> = () => []
      const start = async (): Promise<Service> => {
        const renditions = rendition.includes('all') ? await findRenditions(stream, from) : rendition
        const watch = startWatch({
          ...{ stream, from, renditions, logger, sessions: Math.max(sessions, renditions.length) },
          latencyMs: latency * 1000,
          ...(location === undefined ? {} : { location }),
          ...(duration === undefined ? {} : { durationMs: duration * 1000 }),
          ...(pipe ? { pipe: process.stdout } : {}),
        })
        reports = watch.reports
        return watch
      }
      const status = await runService({ logger, start })
      if (json)
        context.stdout.write(`${JSON.stringify({ viewers: reports().map(({ totals }) => viewerResult(totals)) })}\n`)
      for (const report of json ? [] : reports()) logger.info(described(report))
      context.done(status === statusOk && reports().some(isDamaged) ? statusFailed : status)
    })
}

const isDamaged = ({ totals }: ViewerReport): boolean =>
  totals.gaps + totals.duplicates + totals.hashMismatches > 0 || totals.segments === 0

const described = ({ session, totals }: ViewerReport): string =>
  [
    `${session}: ${totals.segments} segments`,
    `${totals.gaps} gaps`,
    `${totals.duplicates} duplicates`,
    `${totals.hashMismatches} damaged`,
    `${totals.stalls} stalls (${Math.round(totals.stallMs)} ms)`,
    `latency ${Math.round(totals.latencyMs)} ms`,
  ].join(', ')
