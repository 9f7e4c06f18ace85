import { Command } from 'commander'
import { describeConnection, openStore, type StoreConnection } from '../../events/stores/index.js'
import { keepModel, readModel, readModelState, readShipped, shortHash } from '../../runtime/models/index.js'
import { recordTraining, trainFromLog, type TrainedFromLog } from '../../runtime/training/index.js'
import type { CommandContext } from '../context.js'
import { askControl } from '../control.js'
import { flag } from '../flags.js'
import { logOf } from '../log.js'
import { addModelFlags, budgetFlag, comparisonText, modelsFolderOf } from '../models.js'
import { UsageError } from '../usage.js'
import { url } from '../values.js'

interface TrainFlags {
  readonly fromLog?: boolean
  readonly budget: number
  readonly record?: boolean
  readonly control?: string
  readonly json?: boolean
}

const examples = `
Trains on the older part of the log, and compares with the model in force on the newer part (docs/prediction.md).
The new model is kept beside the log. It judges servers only once it is promoted: --record writes the training into the
log, whose rules then promote it if it was better. Where the control plane runs, ask it instead: --control.

Examples:
  segue train --from-log
  segue train --from-log --data /var/lib/segue --record
  segue train --from-log --control http://127.0.0.1:7000`

export function trainCommand(context: CommandContext): Command {
  const command = new Command('train').description(
    'Train a model on what a log recorded, and compare it with the one in force.',
  )
  return addModelFlags(command)
    .addOption(flag('--from-log', 'learn from the incidents and samples of a log'))
    .addOption(budgetFlag('false alarms a server-day at which both models are compared'))
    .addOption(flag('--record', 'record the training in the log; not while its control plane runs'))
    .addOption(flag('--control <url>', 'have this running control plane train, on its own log', { read: url }))
    .addOption(flag('--json', 'print the figures as one JSON object'))
    .addHelpText('after', examples)
    .action(async (flags: TrainFlags, self: Command) => {
      if (flags.fromLog !== true) throw new UsageError('say what to learn from: --from-log')
      if (flags.control !== undefined) return askToTrain(context, flags)
      const log = await logOf(self, context.env)
      return trainHere(context, log, modelsFolderOf(self, log, context), flags)
    })
}

async function askToTrain({ stdout, env }: CommandContext, { control, record }: TrainFlags): Promise<void> {
  if (record === true)
    throw new UsageError('--record and --control exclude each other: a control plane records by itself')
  await askControl(control ?? '', 'POST', '/api/models/training', { by: env.USER ?? 'operator' })
  stdout.write('training has begun; segue models list shows what comes of it\n')
}

async function trainHere(
  { stdout }: CommandContext,
  log: StoreConnection,
  folder: string,
  { budget, record = false, json = false }: TrainFlags,
): Promise<void> {
  const store = await openStore(log, { readOnly: !record })
  try {
    const { active } = await readModelState(store)
    const shipped = await readShipped()
    const champion = active === null ? shipped : await readModel(folder, active.artifact)
    const trained = await trainFromLog({ log, champion, shipped, budget })
    await keepModel(folder, trained.bytes)
    const decisions = record ? await recordTraining(store, trained) : []
    const outcome = decisions.map(({ type, data }) => ({ type, ...data }))
    const lines = json
      ? [JSON.stringify({ ...trained.recorded, note: trained.note, decisions: outcome })]
      : describe(trained, describeConnection(log), active?.model ?? 'the shipped model', folder)
    for (const line of lines) stdout.write(`${line}\n`)
    if (json) return
    for (const { type, data } of decisions) {
      if ('reason' in data) stdout.write(`${type}: ${data.reason}\n`)
    }
  } finally {
    await store.close()
  }
}

function describe(
  { recorded, note }: TrainedFromLog,
  where: string,
  champion: string,
  folder: string,
): ReadonlyArray<string> {
  const { model, artifact, data, comparison } = recorded
  const time = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
  const range =
    data === null
      ? ''
      : `${data.rows} rows of ${data.servers} servers, ${data.positives} of them before incidents, ${time(data.from)} to ${time(data.until)}`
  return [
    `${model} (${shortHash(artifact)}), trained on ${where}`,
    `data      ${range}`,
    `made of   ${note}`,
    `compared  with ${champion}, on later data: ${comparisonText(comparison)}`,
    `kept      ${folder}/${artifact}.bin`,
  ]
}
