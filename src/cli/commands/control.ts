import { join } from 'node:path'
import { Command } from 'commander'
import { dashboardFolders } from '../../dashboard/index.js'
import {
  defaultServerPolicy,
  defaultStreamPolicy,
  type ServerPolicy,
  type StandbyMode,
  type StreamPolicy,
} from '../../events/index.js'
import { sqliteAt, type StoreConnection } from '../../events/stores/index.js'
import { budgetBounds, controlShareMax } from '../../runtime/control/policyCheck.js'
import { defaultDataRoot, storePathIn } from '../../runtime/dataDirectory.js'
import { runService } from '../../runtime/process/index.js'
import { startControl, type ControlProcessOptions } from '../../runtime/services/control.js'
import { checkBuffer } from '../buffer.js'
import type { CommandContext } from '../context.js'
import {
  checkpointFlag,
  eventStoreFlag,
  flag,
  keysFlag,
  natsFlag,
  natsUrlDefault,
  standbyHelp,
  standbyModes,
} from '../flags.js'
import { projectionsFlag, projectionsOf } from '../readModel.js'
import { UsageError } from '../usage.js'
import { duration, number, port, whole } from '../values.js'

export interface ControlFlags {
  readonly nats: string
  readonly host: string
  readonly port: number
  readonly data: string
  readonly eventstore?: StoreConnection
  readonly keys?: string
  readonly checkpointEvery: number
  readonly retain?: number
  readonly archive?: string
  readonly projections?: string
  readonly standby: StandbyMode
  readonly predict: boolean
  readonly threshold: number
  readonly horizon: number
  readonly falseAlarms: number
  readonly controlShare: number
  readonly retrainEvery: number
  readonly bufferSegments: number
  readonly cutoverLead: number
}

const examples = `
Example:
  segue control --nats nats://10.0.0.1:4222 --host 0.0.0.0 --data /var/lib/segue --standby hot`

export function controlCommand(context: CommandContext): Command {
  const { env } = context
  return new Command('control')
    .description('Run a control plane with its event store: it decides, and answers over HTTP.')
    .addOption(natsFlag(env, natsUrlDefault))
    .addOption(flag('--host <address>', 'address to listen on', { default: '127.0.0.1' }))
    .addOption(flag('--port <n>', 'port of the HTTP API; 0: any free one', { default: 7000, read: port }))
    .addOption(
      flag('--data <dir>', 'keys, and the log when no other place is given', {
        default: join(defaultDataRoot({ env }), 'control'),
      }),
    )
    .addOption(eventStoreFlag('events.sqlite in the data folder'))
    .addOption(keysFlag())
    .addOption(checkpointFlag())
    .addOption(
      flag('--retain <time>', 'how long health samples stay in the log, such as 30d; older ones go to --archive', {
        read: duration,
      }),
    )
    .addOption(flag('--archive <dir>', 'folder of the archives; goes with --retain'))
    .addOption(projectionsFlag())
    .addOption(flag('--standby <mode>', standbyHelp, { default: defaultStreamPolicy.standby, choices: standbyModes }))
    .addOption(flag('--no-predict', 'record everything, but predict nothing'))
    .addOption(
      flag('--threshold <score>', 'stability score (0-100) below which a server counts as unstable', {
        default: defaultServerPolicy.threshold,
        read: number(0, 100),
      }),
    )
    .addOption(
      flag('--horizon <s>', 'how far ahead the risk looks, in seconds', {
        default: defaultServerPolicy.horizonMs / 1000,
        read: number(1, 3_600),
      }),
    )
    .addOption(
      flag('--false-alarms <n>', 'alarms a server-day that may turn out unneeded', {
        default: defaultServerPolicy.falseAlarmBudget,
        read: number(budgetBounds.min, budgetBounds.max),
      }),
    )
    .addOption(
      flag('--control-share <share>', 'share of the alarms on which nothing is done, to see what would have come', {
        default: defaultServerPolicy.controlShare,
        read: number(0, controlShareMax),
      }),
    )
    .addOption(
      flag('--retrain-every <h>', 'hours between two trainings of the model on the log; 0: only on drift', {
        default: 24,
        read: number(0, 8_760),
      }),
    )
    .addOption(
      flag('--buffer-segments <n>', 'segments that each server keeps, and that a standby verifies', {
        default: defaultStreamPolicy.bufferSegments,
        read: whole(4, 1_000),
      }),
    )
    .addOption(
      flag('--cutover-lead <n>', 'segments between the live one and a planned cut-over', {
        default: defaultStreamPolicy.cutoverLeadSegments,
        read: whole(0, 100),
      }),
    )
    .addHelpText('after', examples)
    .action(async (flags: ControlFlags) => {
      const logger = context.logger('control')
      const options = controlOptionsOf(flags, env)
      const start = () => startControl({ ...options, pages: dashboardFolders, logger })
      context.done(await runService({ logger, start }))
    })
}

/** @throws UsageError for flags that do not go together. */
export function controlOptionsOf(
  flags: ControlFlags,
  env: NodeJS.ProcessEnv,
): Omit<ControlProcessOptions, 'pages' | 'logger'> {
  const { nats, host, port, data, keys, checkpointEvery } = flags
  const eventStore = flags.eventstore ?? sqliteAt(storePathIn(data))
  const policies = { serverPolicy: serverPolicyOf(flags), streamPolicy: streamPolicyOf(flags) }
  const where = { natsUrl: nats, host, port, dataDir: data, eventStore }
  const retrainEveryMs = Math.round(flags.retrainEvery * 3_600_000)
  const ledger = { checkpointEveryMs: checkpointEvery * 1000, ...(keys === undefined ? {} : { keysDir: keys }) }
  const projections = projectionsOf(eventStore, flags, env)
  return { ...where, ...ledger, ...policies, ...retentionOf(flags), projections, retrainEveryMs }
}

/** @throws UsageError when nobody said where to. The folder alone may be known for the sake of those who read. */
function retentionOf({ retain, archive }: ControlFlags) {
  if (retain === undefined) return {}
  if (archive === undefined) throw new UsageError('--retain goes with --archive: say where older samples go')
  return { retention: { olderThanMs: retain, dir: archive } }
}

type PredictionFlags = Pick<ControlFlags, 'predict' | 'threshold' | 'horizon'> &
  Partial<Pick<ControlFlags, 'falseAlarms' | 'controlShare'>>

/** @throws UsageError for a threshold that no score can rise above again. */
export function serverPolicyOf({
  predict,
  threshold,
  horizon,
  falseAlarms = defaultServerPolicy.falseAlarmBudget,
  controlShare = defaultServerPolicy.controlShare,
}: PredictionFlags): ServerPolicy {
  const { hysteresis } = defaultServerPolicy
  if (threshold + hysteresis > 100) {
    throw new UsageError(
      `--threshold ${threshold} is too high: an alarm clears ${hysteresis} points above it, so give ${100 - hysteresis} or less`,
    )
  }
  const held = { falseAlarmBudget: falseAlarms, controlShare }
  return { ...defaultServerPolicy, predict, threshold, horizonMs: Math.round(horizon * 1000), ...held }
}

/** @throws UsageError for a buffer that does not reach from the live segment to the cut-over. */
export function streamPolicyOf({
  standby,
  bufferSegments,
  cutoverLead,
}: Pick<ControlFlags, 'standby' | 'bufferSegments' | 'cutoverLead'>): StreamPolicy {
  checkBuffer(bufferSegments, cutoverLead)
  return { ...defaultStreamPolicy, standby, bufferSegments, cutoverLeadSegments: cutoverLead }
}
