import { writeFile } from 'node:fs/promises'
import { Argument, Command } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import { openStore } from '../../events/stores/index.js'
import {
  findModel,
  importanceOf,
  readModelState,
  shortHash,
  type Importance,
  type KnownModel,
  type ModelState,
} from '../../runtime/models/index.js'
import { errorMessage } from '../../runtime/systemError.js'
import { modelCard } from '../../runtime/training/index.js'
import { heldStretches } from '../../simulation/health/index.js'
import type { CommandContext } from '../context.js'
import { askControl, controlFlag } from '../control.js'
import { flag } from '../flags.js'
import { logOf } from '../log.js'
import { addModelFlags, budgetFlag, comparisonText, modelsFolderOf } from '../models.js'
import { tableLines } from '../output/table.js'
import { UsageError } from '../usage.js'

const examples = `
A model is named by its name, or by the first digits of its SHA-256 (four at least).

Examples:
  segue models list
  segue models show 3f2a9c1d --data /var/lib/segue
  segue models card prior-3 --out card.html
  segue models promote 3f2a9c1d
  segue models rollback`

export function modelsCommand(context: CommandContext): Command {
  const command = new Command('models')
    .description(
      'List the models that a log knows, look at one, write its card, put one in force, or go back to the one before.',
    )
    .addHelpText('after', examples)
  for (const sub of commandsOf(context)) {
    command.addCommand(sub)
  }
  return command
}

const commandsOf = (context: CommandContext): ReadonlyArray<Command> => [
  listCommand(context),
  showCommand(context),
  cardCommand(context),
  promoteCommand(context),
  rollbackCommand(context),
]

const named = () => new Argument('<model>', 'name of the model, or the first digits of its SHA-256')
const byFlag = () => flag('--by <name>', 'who asks; it is recorded', { default: process.env.USER ?? 'operator' })

/** Reads what the log that the command names knows of models. */
async function readState(context: CommandContext, command: Command) {
  const log = await logOf(command, context.env)
  const store = await openStore(log, { readOnly: true })
  try {
    return { log, state: await readModelState(store), folder: modelsFolderOf(command, log, context) }
  } finally {
    await store.close()
  }
}

function listCommand(context: CommandContext): Command {
  return addModelFlags(new Command('list').description('Show the models that the log knows, the oldest first.'))
    .addOption(flag('--json', 'print them as one JSON object'))
    .action(async ({ json = false }: { readonly json?: boolean }, self: Command) => {
      const { state } = await readState(context, self)
      const lines = json ? [JSON.stringify(state)] : listLines(state)
      for (const line of lines) context.stdout.write(`${line}\n`)
    })
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')

export function listLines({ known, training, failure }: ModelState): ReadonlyArray<string> {
  if (known.length === 0) return ['no model was recorded yet']
  const rows = known.map((each) => [
    shortHash(each.artifact),
    each.model,
    each.standing === 'active' ? 'in force' : each.standing,
    each.trigger,
    day(each.trainedAt),
    each.reason,
  ])
  const titles = ['SHA-256', 'MODEL', 'STANDING', 'TRAINED BY', 'KNOWN SINCE', 'BECAUSE']
  return [
    ...tableLines(
      titles.map((title) => ({ title })),
      rows,
    ),
    ...(training === null ? [] : ['', `a training is under way (${training.trigger})`]),
    ...(failure === null ? [] : ['', `the last training failed, ${day(failure.at)}: ${failure.reason}`]),
  ]
}

function showCommand(context: CommandContext): Command {
  return addModelFlags(new Command('show').description('Show one model: data, figures, weights, what it looks at.'))
    .addArgument(named())
    .addOption(flag('--json', 'print it as one JSON object'))
    .action(async (text: string, { json = false }: { readonly json?: boolean }, self: Command) => {
      const { state, folder } = await readState(context, self)
      const known = modelNamed(state, text)
      const importance = (await importanceOf(folder, known.artifact)).slice(0, featuresShown)
      const lines = json ? [JSON.stringify({ ...known, importance })] : showLines(known, importance)
      for (const line of lines) context.stdout.write(`${line}\n`)
    })
}

/** @throws UsageError */
function modelNamed({ known }: ModelState, text: string): KnownModel {
  const found = findModel(known, text)
  if (E.isLeft(found)) throw new UsageError(found.left.message)
  return found.right
}

interface CardFlags {
  readonly out?: string
  readonly budget: number
}

function cardCommand(context: CommandContext): Command {
  return addModelFlags(
    new Command('card').description('Write the card of a model: one HTML page with figures and charts.'),
  )
    .addArgument(named())
    .addOption(flag('--out <file>', 'where it goes (default: model-<SHA-256>.html here)'))
    .addOption(budgetFlag('false alarms a server-day at which lead times are told'))
    .action(async (text: string, { out, budget }: CardFlags, self: Command) => {
      const { state, folder, log } = await readState(context, self)
      const known = modelNamed(state, text)
      const file = out ?? `model-${shortHash(known.artifact)}.html`
      const otherwise = () => ({ stretches: heldStretches(), name: 'simulated servers that it was not trained on' })
      const card = await modelCard({ known, log, folder, budget, otherwise })
      await writeFile(file, card).catch((error: unknown) => {
        throw new UsageError(`--out ${file} cannot be written (${errorMessage(error)}): give another place`)
      })
      context.stdout.write(`${file}\n`)
    })
}

const featuresShown = 10
function showLines(model: KnownModel, importance: Importance): ReadonlyArray<string> {
  const { data, comparison, weights } = model
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  const listed = (entries: ReadonlyArray<readonly [string, number]>): ReadonlyArray<string> =>
    entries.map(([name, share]) => `  ${name.padEnd(24)} ${percent(share).padStart(7)}`)
  return [
    `${model.model}  ${model.artifact}`,
    `learner   ${model.learner}`,
    `standing  ${model.standing === 'active' ? 'in force' : model.standing}: ${model.reason}`,
    `known     since ${day(model.trainedAt)}, trained by ${model.trigger}`,
    ...(data === null
      ? ['data      simulated faults: it is the model that the program ships']
      : [
          `data      ${data.rows} rows of ${data.servers} servers, ${data.positives} before incidents, ${day(data.from)} to ${day(data.until)}`,
        ]),
    ...(comparison === null ? [] : [`compared  ${comparisonText(comparison)}`]),
    'weights of the score',
    ...listed(Object.entries(weights).sort((a, b) => b[1] - a[1])),
    'features by importance',
    ...listed(importance.map(({ feature, share }) => [feature, share])),
  ]
}

interface AskFlags {
  readonly control: string
  readonly by: string
}

function promoteCommand(context: CommandContext): Command {
  return new Command('promote')
    .description('Put a model in force, by a running control plane.')
    .addArgument(named())
    .addOption(controlFlag())
    .addOption(byFlag())
    .action(async (model: string, { control, by }: AskFlags) =>
      tell(context, await askControl(control, 'POST', '/api/models/promotion', { model, by })),
    )
}

function rollbackCommand(context: CommandContext): Command {
  return new Command('rollback')
    .description('Put the model in force that was so before, by a running control plane.')
    .addOption(controlFlag())
    .addOption(byFlag())
    .action(async ({ control, by }: AskFlags) =>
      tell(context, await askControl(control, 'POST', '/api/models/rollback', { by })),
    )
}

function tell({ stdout }: CommandContext, answer: unknown): void {
  const { model, artifact } = answer as { readonly model: string; readonly artifact: string }
  stdout.write(`${model} (${shortHash(artifact)}) is in force\n`)
}
