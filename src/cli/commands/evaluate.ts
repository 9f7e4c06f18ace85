import { Command, InvalidArgumentError } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import { evaluate, learnerNames, readPrior, type Evaluation } from '../../runtime/evaluation/index.js'
import type { CommandContext } from '../context.js'
import { flag, repeatable } from '../flags.js'
import { statusFailed, statusOk, UsageError } from '../usage.js'
import { number, type Reader } from '../values.js'

interface EvaluateFlags {
  readonly data?: ReadonlyArray<string>
  readonly train?: ReadonlyArray<string>
  readonly learner: ReadonlyArray<string>
  readonly scores?: string
  readonly budget: number
  readonly json?: boolean
}

const examples = `
Learners: ${learnerNames.join(', ')}.
Without --train the first half of every machine is trained on and the second half tested.
docs/prediction.md tells what the figures mean.

Examples:
  segue evaluate --data servers/
  segue evaluate --data new/ --train old/ --learner all --scores scores/ --json`

const learner: Reader<ReadonlyArray<string>> = (text) => {
  if (text === 'all') return learnerNames
  if (learnerNames.includes(text)) return [text]
  throw new InvalidArgumentError(`"${text}" is no learner: give all, or one of ${learnerNames.join(', ')}.`)
}

export function evaluateCommand(context: CommandContext): Command {
  return new Command('evaluate')
    .description('Measure how well incidents are predicted, on recorded telemetry with labelled incidents.')
    .addOption(repeatable('--data <dir...>', 'data sets to test on; may be repeated'))
    .addOption(repeatable('--train <dir...>', 'data sets to train on, instead of the first half of --data'))
    .addOption(
      flag('--learner <name>', 'champion, all, or one', {
        read: learner,
        default: ['champion'],
        defaultText: 'champion',
      }),
    )
    .addOption(flag('--scores <dir>', 'write <dir>/<learner>/<machine>.csv with row,risk'))
    .addOption(
      flag('--budget <number>', 'false alarms a machine-day that the threshold is chosen for', {
        read: number(0.01, 1_000),
        default: 1,
      }),
    )
    .addOption(flag('--json', 'print the figures as one JSON object'))
    .addHelpText('after', examples)
    .action(async ({ data = [], train, learner: names, scores, budget, json = false }: EvaluateFlags) => {
      if (data.length === 0) throw new UsageError('say which data sets to test on: --data DIR')
      const result = await evaluate({
        data,
        learners: names,
        budget,
        prior: readPrior,
        ...(train === undefined ? {} : { train }),
        ...(scores === undefined ? {} : { scores }),
        progress: (line) => void context.stderr.write(`${line}\n`),
      })
      if (E.isLeft(result)) {
        context.stderr.write(`segue evaluate: ${result.left.message}\n`)
        context.done(statusFailed)
        return
      }
      const lines = json ? [JSON.stringify(result.right)] : table(result.right)
      for (const line of lines) context.stdout.write(`${line}\n`)
      context.done(statusOk)
    })
}

const share = (value: number | null): string => (value === null ? '-' : value.toFixed(2).replace(/^0/, ''))

function table({ mode, budget, learners }: Evaluation): ReadonlyArray<string> {
  const widthOf = (texts: ReadonlyArray<string>): number => Math.max(...texts.map(({ length }) => length))
  const rows = learners.flatMap(({ learner: name, families }) =>
    Object.entries(families).map(([family, report]) => [
      name,
      family,
      String(report.incidents),
      String(report.clusters),
      ...report.recallAt.map(({ recall, interval }) =>
        interval === null ? share(recall) : `${share(recall)} (${share(interval.low)}-${share(interval.high)})`,
      ),
      report.medianLeadMin === null ? '-' : report.medianLeadMin.toFixed(1),
      share(report.areaUnderCurve),
      report.chosen === null ? '-' : report.chosen.falseAlarmsPerDay.toFixed(2),
      report.paced === null ? '-' : report.paced.falseAlarmsPerDay.toFixed(2),
    ]),
  )
  const head = [
    'learner',
    'family',
    'incidents',
    'clusters',
    'r@0.5',
    'r@1',
    'r@5',
    'lead min',
    'AUC',
    `alarms at ${budget}`,
    'paced',
  ]
  const widths = head.map((title, column) => widthOf([title, ...rows.map((row) => row[column] ?? '')]))
  const print = (row: ReadonlyArray<string>): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const models = learners.flatMap(({ learner: name, models: parts }) =>
    parts.map(({ families, note, about }) => `${name}, ${families.join(', ')}: ${note}; trained on ${about}`),
  )
  return [
    `${mode}; recall at false alarms a machine-day, in brackets the middle 90 % by incident clusters`,
    print(head),
    ...rows.map(print),
    '',
    ...models,
  ]
}
