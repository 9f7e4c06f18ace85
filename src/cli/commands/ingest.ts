import { join } from 'node:path'
import { Command } from 'commander'
import { defaultDataRoot } from '../../runtime/dataDirectory.js'
import { streamNames } from '../../runtime/fleet/options.js'
import { runService } from '../../runtime/process/index.js'
import { startIngestProcess } from '../../runtime/services/ingest.js'
import type { CommandContext } from '../context.js'
import { audioTracksFlag, flag, natsFlag, natsUrlDefault, renditionsFlag } from '../flags.js'
import { formatOf, sourceHelp, type FormatFlags } from '../source.js'
import { UsageError } from '../usage.js'
import { id, number, port, url, whole } from '../values.js'

interface IngestFlags extends FormatFlags {
  readonly stream: string
  readonly streams: number
  readonly source: string
  readonly nats: string
  readonly host: string
  readonly port: number
  readonly publicUrl?: string
  readonly partner?: string
  readonly data: string
}

const examples = `
Examples:
  segue ingest --stream main --source testcard
  segue ingest --stream main --renditions 720p,360p,audio --source film.mp4
  segue ingest --stream main --audio-tracks en,de,en=Commentary --source srt://10.0.0.9:9000
  segue ingest --stream main --source srt://10.0.0.9:9000 --host 10.0.0.2 --partner http://10.0.0.3:7100
  segue ingest --stream main --source rtmp://0.0.0.0:1935/live/x --host 0.0.0.0 --public-url http://10.0.0.2:7100`

export function ingestCommand(context: CommandContext): Command {
  const { env } = context
  return new Command('ingest')
    .description('Take a contribution, normalise it and serve it as a feed to the media servers.')
    .addOption(flag('--stream <name>', 'name of the stream', { default: 'main', read: id }))
    .addOption(
      flag('--streams <n>', 'feeds from this one source, named <stream>, <stream>-2, ..., on the ports that follow', {
        default: 1,
        read: whole(1, 64),
      }),
    )
    .addOption(flag('--source <source>', sourceHelp, { default: 'testcard' }))
    .addOption(natsFlag(env, natsUrlDefault))
    .addOption(flag('--host <address>', 'address to listen on', { default: '127.0.0.1' }))
    .addOption(flag('--port <n>', 'port of the feed; 0: any free one', { default: 7100, read: port }))
    .addOption(
      flag('--public-url <url>', 'address that media servers reach it at (default: http://host:port)', { read: url }),
    )
    .addOption(
      flag(
        '--partner <url>',
        'another ingest of the same contribution that names this one: when one is lost, the other goes on',
        { read: url },
      ),
    )
    .addOption(flag('--data <dir>', 'working files', { default: join(defaultDataRoot({ env }), 'ingest') }))
    .addOption(flag('--fps <rate>', 'frames per second', { default: 25, read: number(1, 120) }))
    .addOption(
      flag('--segment <ms>', 'length of a segment, a whole number of frames (default: about 320)', {
        read: number(1, 10_000),
      }),
    )
    .addOption(flag('--gop <frames>', 'length of a segment in frames, instead of --segment', { read: whole(1, 1_000) }))
    .addOption(flag('--height <px>', 'height of the picture', { default: 360, read: whole(16, 8_192) }))
    .addOption(renditionsFlag())
    .addOption(audioTracksFlag())
    .addHelpText('after', examples)
    .action(async (flags: IngestFlags) => {
      const { stream, streams, source, nats, host, port, publicUrl, partner, data } = flags
      const format = formatOf(flags)
      if (publicUrl !== undefined && streams > 1) {
        throw new UsageError(
          '--public-url names one address, and --streams asks for several: start one ingest for each',
        )
      }
      if (partner !== undefined && streams > 1) {
        throw new UsageError('--partner names one feed, and --streams asks for several: start one ingest for each')
      }
      const logger = context.logger('ingest')
      const start = () =>
        startIngestProcess({
          ...{ source, format, natsUrl: nats, host, port, dataDir: data, logger },
          streams: streamNames(stream, streams),
          ...(publicUrl === undefined ? {} : { publicUrl }),
          ...(partner === undefined ? {} : { partnerUrl: partner }),
        })
      context.done(await runService({ logger, start }))
    })
}
