import { resolve } from 'node:path'
import { Command } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import type { StandbyMode } from '../../events/index.js'
import type { StoreConnection } from '../../events/stores/index.js'
import { createRunDirectory, defaultDataRoot } from '../../runtime/dataDirectory.js'
import {
  fleetDefaults,
  parseFaults,
  runFleet,
  type FleetOptions,
  type PlannedFault,
} from '../../runtime/fleet/index.js'
import { checkBuffer } from '../buffer.js'
import type { CommandContext } from '../context.js'
import {
  checkpointFlag,
  eventStoreFlag,
  flag,
  keysFlag,
  natsFlag,
  audioTracksFlag,
  renditionsFlag,
  repeatable,
  standbyHelp,
  standbyModes,
} from '../flags.js'
import { formatOf, sourceHelp } from '../source.js'
import { UsageError } from '../usage.js'
import { number, whole, type AudioTrackList, type RenditionList } from '../values.js'

export interface UpFlags {
  readonly source: string
  readonly fault?: ReadonlyArray<string>
  readonly predict: boolean
  readonly standby: StandbyMode
  readonly latency: number
  readonly servers: number
  readonly streams: number
  readonly viewers: number
  readonly data?: string
  readonly eventstore?: StoreConnection
  readonly keys?: string
  readonly checkpointEvery?: number
  readonly host: string
  readonly port?: number
  readonly nats?: string
  readonly duration?: number
  readonly json?: boolean
  readonly memoryLimit: number
  readonly threshold: number
  readonly bufferSegments: number
  readonly cutoverLead: number
  readonly sampleInterval: number
  readonly restartMedia: number
  readonly fps: number
  readonly segment?: number
  readonly height: number
  readonly renditions?: RenditionList
  readonly audioTracks?: AudioTrackList
}

const faultDefault = 'leak@15'

const examples = `
Faults hit whoever is the primary of stream main at that time, counted in seconds from the first segment played:
  leak    takes 4 % of the memory limit each second, until the process dies by it
  cpu     burns more and more CPU time
  crash   kills the process (SIGKILL)
  hang    suspends the process (SIGSTOP)

Examples:
  segue up                                     leaves a leaking server before it dies
  segue up --no-predict                        the same without prediction
  segue up --fault crash@10 --standby hot      a crash without warning
  segue up --fault none --source film.mp4
  segue up --renditions 720p,360p,audio        several pictures, which the viewers verify in turn
  segue up --duration 45 --json                ends by itself and prints the result as JSON

The exit status is not 0 when a viewer had a gap, a duplicate or a damaged segment, or when the replay differs.`

export function upCommand(context: CommandContext): Command {
  return addOptions(new Command('up'), context.env)
    .description(
      'Run a local fleet: NATS, control plane, media servers, ingest and viewers, each a process of its own.',
    )
    .addHelpText('after', examples)
    .action(async (flags: UpFlags) => {
      const fleet = await fleetOptionsOf(flags, context.env)
      const { duration, json = false } = flags
      const durationMs = duration === undefined ? null : duration * 1000
      const { stdout, stderr, env } = context
      context.done(await runFleet({ fleet, durationMs, json, stdout, stderr, env }))
    })
}

function addOptions(command: Command, env: NodeJS.ProcessEnv): Command {
  const byDefault = fleetDefaults
  return command
    .addOption(flag('--source <source>', sourceHelp, { default: byDefault.source }))
    .addOption(
      repeatable(
        '--fault <kind@s>',
        `fault to make, such as leak@15,crash@40; repeatable; or none (default: ${faultDefault})`,
      ),
    )
    .addOption(flag('--no-predict', 'predict nothing, for comparison'))
    .addOption(flag('--standby <mode>', standbyHelp, { default: byDefault.standby, choices: standbyModes }))
    .addOption(
      flag('--latency <s>', "viewers' playing position behind live, in seconds", {
        default: byDefault.latencyMs / 1000,
        read: number(0.5, 60),
      }),
    )
    .addOption(flag('--servers <n>', 'media servers', { default: byDefault.servers, read: whole(1, 20) }))
    .addOption(flag('--streams <n>', 'streams', { default: byDefault.streams, read: whole(1, 64) }))
    .addOption(flag('--viewers <n>', 'viewers of each stream', { default: byDefault.viewers, read: whole(1, 1_000) }))
    .addOption(
      flag('--data <dir>', `the log and working files (default: a new folder in ${defaultDataRoot({ env })}/runs)`),
    )
    .addOption(eventStoreFlag('events.sqlite in the data folder'))
    .addOption(keysFlag())
    .addOption(checkpointFlag())
    .addOption(flag('--host <address>', 'address that everything listens on', { default: byDefault.host }))
    .addOption(
      flag(
        '--port <n>',
        `port of the control plane, from which the others follow (default: ${byDefault.port}, or the next free one)`,
        {
          read: whole(1, 65_000),
        },
      ),
    )
    .addOption(natsFlag(env))
    .addOption(
      flag('--duration <s>', 'end this long after the first segment (default: at Ctrl-C)', {
        read: number(1, 31_536_000),
      }),
    )
    .addOption(flag('--json', 'print the result as one JSON object, in the last line'))
    .addOption(
      flag('--memory-limit <MB>', 'of each media server; beyond it the process is killed', {
        default: byDefault.memoryLimitMb,
        read: whole(128, 1_048_576),
      }),
    )
    .addOption(
      flag('--threshold <score>', 'stability score (0-100) below which a server counts as unstable', {
        default: byDefault.threshold,
        read: number(0, 90),
      }),
    )
    .addOption(
      flag('--buffer-segments <n>', 'segments that each server keeps', {
        default: byDefault.bufferSegments,
        read: whole(4, 1_000),
      }),
    )
    .addOption(
      flag('--cutover-lead <n>', 'segments between the live one and a planned cut-over', {
        default: byDefault.cutoverLeadSegments,
        read: whole(0, 100),
      }),
    )
    .addOption(
      flag('--sample-interval <ms>', 'time between two health samples', {
        default: byDefault.sampleIntervalMs,
        read: whole(200, 60_000),
      }),
    )
    .addOption(
      flag('--restart-media <s>', 'how long after its death a media server is started again', {
        default: byDefault.restartMediaAfterMs / 1000,
        read: number(0, 3_600),
      }),
    )
    .addOption(flag('--fps <rate>', 'frames per second', { default: 25, read: number(1, 120) }))
    .addOption(
      flag('--segment <ms>', 'length of a segment, a whole number of frames (default: about 320)', {
        read: number(1, 10_000),
      }),
    )
    .addOption(flag('--height <px>', 'height of the picture', { default: 360, read: whole(16, 8_192) }))
    .addOption(renditionsFlag())
    .addOption(audioTracksFlag())
}

/** @throws UsageError when the flags contradict each other or ask for what cannot be. */
export async function fleetOptionsOf(flags: UpFlags, env: NodeJS.ProcessEnv): Promise<FleetOptions> {
  const {
    fps,
    segment,
    height,
    renditions,
    audioTracks,
    bufferSegments,
    cutoverLead,
    port: wanted,
    nats,
    eventstore,
    keys,
    checkpointEvery,
  } = flags
  formatOf(flags)
  checkBuffer(bufferSegments, cutoverLead)
  if (eventstore?.type === 'memory') {
    throw new UsageError('--eventstore memory: is gone before the log could be replayed at the end: give sqlite:PATH')
  }
  const faults = faultsIn(flags.fault ?? [faultDefault])
  return {
    ...{ fps, height, faults, bufferSegments },
    cutoverLeadSegments: cutoverLead,
    ...(segment === undefined ? {} : { segmentMs: segment }),
    ...(renditions === undefined ? {} : { renditions: renditions.text }),
    ...(audioTracks === undefined ? {} : { audioTracks: audioTracks.text }),
    ...(wanted === undefined ? {} : { port: wanted, portExact: true }),
    ...(nats === undefined ? {} : { natsUrl: nats }),
    ...(eventstore === undefined ? {} : { eventStore: eventstore }),
    ...(keys === undefined ? {} : { keysDir: resolve(keys) }),
    ...(checkpointEvery === undefined ? {} : { checkpointEveryMs: Math.round(checkpointEvery * 1_000) }),
    host: flags.host,
    source: flags.source,
    servers: flags.servers,
    streams: flags.streams,
    viewers: flags.viewers,
    standby: flags.standby,
    predict: flags.predict,
    threshold: flags.threshold,
    latencyMs: Math.round(flags.latency * 1000),
    memoryLimitMb: flags.memoryLimit,
    sampleIntervalMs: flags.sampleInterval,
    restartMediaAfterMs: Math.round(flags.restartMedia * 1000),
    dataDir: await dataDirOf(flags.data, env),
  }
}

/** All faults that were asked for, in the order of time. @throws UsageError */
export function faultsIn(texts: ReadonlyArray<string>): ReadonlyArray<PlannedFault> {
  const faults = parseFaults(texts.join(','))
  if (E.isRight(faults)) return faults.right
  throw new UsageError(`--fault: ${faults.left}`)
}

async function dataDirOf(data: string | undefined, env: NodeJS.ProcessEnv): Promise<string> {
  if (data !== undefined) return resolve(data)
  const made = await createRunDirectory(defaultDataRoot({ env }), new Date())()
  if (E.isRight(made)) return made.right
  throw new UsageError(`--data: ${made.left.message}`)
}
