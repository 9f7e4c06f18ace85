import { join } from 'node:path'
import { Command } from 'commander'
import type { Coordinates } from '../../events/index.js'
import { defaultDataRoot } from '../../runtime/dataDirectory.js'
import { runService } from '../../runtime/process/index.js'
import { startMedia } from '../../runtime/services/media.js'
import type { CommandContext } from '../context.js'
import { flag, natsFlag, natsUrlDefault } from '../flags.js'
import { healthSource, id, location, port, url, whole, type HealthSourceName } from '../values.js'

interface MediaFlags {
  readonly id: string
  readonly nats: string
  readonly host: string
  readonly port: number
  readonly publicUrl?: string
  readonly data?: string
  readonly memoryLimit?: number
  readonly capacity: number
  readonly location?: Coordinates
  readonly sampleInterval: number
  readonly health: HealthSourceName
  readonly allowFaults?: boolean
  readonly requireTickets?: boolean
}

const examples = `
Example:
  segue media --id s1 --nats nats://10.0.0.1:4222 --host 0.0.0.0 --public-url http://10.0.0.11:7201 --memory-limit 2048

SIGTERM hands its streams over before it ends; a second one ends it at once.`

export function mediaCommand(context: CommandContext): Command {
  const { env } = context
  return new Command('media')
    .description('Run a media server: it encodes, buffers and serves the streams that it is given.')
    .addOption(flag('--id <name>', 'name of this server in the fleet', { read: id }).makeOptionMandatory())
    .addOption(natsFlag(env, natsUrlDefault))
    .addOption(flag('--host <address>', 'address to listen on', { default: '127.0.0.1' }))
    .addOption(flag('--port <n>', 'port of the origin; 0: any free one', { default: 7201, read: port }))
    .addOption(flag('--public-url <url>', 'address that others reach it at (default: http://host:port)', { read: url }))
    .addOption(flag('--data <dir>', `working files (default: ${join(defaultDataRoot({ env }), '<id>')})`))
    .addOption(
      flag('--memory-limit <MB>', 'resident memory above which the process is killed (default: no limit of its own)', {
        read: whole(64, 1_048_576),
      }),
    )
    .addOption(
      flag('--capacity <n>', 'streams that it can carry as primary or hot standby at once', {
        default: 8,
        read: whole(1, 10_000),
      }),
    )
    .addOption(
      flag('--location <lat,lon>', 'where it stands, in degrees: viewers are served from near servers first', {
        read: location,
      }),
    )
    .addOption(
      flag('--sample-interval <ms>', 'time between two health samples', { default: 1_000, read: whole(200, 60_000) }),
    )
    .addOption(
      flag(
        '--health <source>',
        'where the readings of the machine come from: system (this one), or prometheus=http://host:9100/metrics of a node_exporter',
        { default: { type: 'system' } as const, defaultText: 'system', read: healthSource },
      ),
    )
    .addOption(flag('--require-tickets', 'give notices only to viewers with a ticket of their own (docs/client.md)'))
    .addOption(flag('--allow-faults', 'obey orders to fail (leak memory, burn CPU); for rehearsals only'))
    .addHelpText('after', examples)
    .action(async (flags: MediaFlags) => {
      const { nats, host, port, capacity, sampleInterval, health, memoryLimit, publicUrl, location } = flags
      const { allowFaults = false, requireTickets: ticketsRequired = false } = flags
      const logger = context.logger(`media ${flags.id}`)
      const start = () =>
        startMedia({
          ...{ id: flags.id, natsUrl: nats, host, port, allowFaults, ticketsRequired, logger },
          dataDir: flags.data ?? join(defaultDataRoot({ env }), flags.id),
          capacityStreams: capacity,
          sampleIntervalMs: sampleInterval,
          ...(memoryLimit === undefined ? {} : { memoryLimitMb: memoryLimit }),
          ...(publicUrl === undefined ? {} : { publicUrl }),
          ...(location === undefined ? {} : { location }),
          ...(health.type === 'prometheus' ? { nodeExporterUrl: health.url } : {}),
        })
      context.done(await runService({ logger, start }))
    })
}
