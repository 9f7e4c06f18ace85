import { Argument, Command } from 'commander'
import { openStore } from '../../events/stores/index.js'
import { shelveModels, shortHash } from '../../runtime/models/index.js'
import { ScoreUnknown, serverScore, type ServerScore } from '../../runtime/score/index.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { logOf } from '../log.js'
import { addModelFlags, modelsFolderOf } from '../models.js'
import { tableLines } from '../output/table.js'
import { UsageError } from '../usage.js'
import { id, moment } from '../values.js'

interface ScoreFlags {
  readonly explain?: boolean
  readonly at?: number
  readonly json?: boolean
}

const examples = `
Examples:
  segue score s1
  segue score s1 --explain
  segue score s1 --explain --at 2026-11-26T17:30:00Z --data /var/lib/segue`

export function scoreCommand(context: CommandContext): Command {
  const command = new Command('score').description(
    'Show how a server is judged, from the log; with --explain also why.',
  )
  return addModelFlags(command)
    .addArgument(new Argument('<server>', 'name of the server').argParser(id))
    .addOption(flag('--explain', 'what took how much off, by which weights, and why the threshold is where it is'))
    .addOption(flag('--at <time>', 'as it was then (default: at the end of the log)', { read: moment(Date.now) }))
    .addOption(flag('--json', 'print everything as one JSON object'))
    .addHelpText('after', examples)
    .action(async (server: string, { explain = false, at, json = false }: ScoreFlags, self: Command) => {
      const log = await logOf(self, context.env)
      await shelveModels(modelsFolderOf(self, log, context))
      const store = await openStore(log, { readOnly: true })
      try {
        const score = await serverScore(store, server, at)
        const lines = json ? [JSON.stringify(score)] : [headline(score), ...(explain ? explanation(score) : [])]
        for (const line of lines) context.stdout.write(`${line}\n`)
      } catch (error) {
        if (error instanceof ScoreUnknown) throw new UsageError(error.message)
        throw error
      } finally {
        await store.close()
      }
    })
}

const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
const risk = (share: number): string => `${(100 * share).toFixed(1)} %`

const headline = ({ server, score, band, threshold, risk: told, at }: ServerScore): string =>
  `${server}: score ${score.toFixed(1)} (${band}), threshold ${threshold.value}, risk ${risk(told)}, at ${time(at)}`

/** Why a server is judged as it is, in lines. */
export function explanation(score: ServerScore): ReadonlyArray<string> {
  const { groups, features, threshold, model, artifact, outlook, maintenancePoints, timeToLimitMs, prediction } = score
  const named = artifact === null ? model : `${model} (${shortHash(artifact)})`
  const judged =
    outlook === null
      ? 'has not seen a whole horizon of this boot yet: forecasts of limits speak alone'
      : `risk ${risk(outlook.risk)}; it leaves ${Math.round(100 * outlook.calm)} % of the score`
  return [
    '',
    `model      ${named}: ${judged}`,
    `threshold  ${threshold.value} (the policy says ${threshold.policy}): ${threshold.reason}${threshold.at === null ? '' : `, since ${time(threshold.at)}`}`,
    ...(timeToLimitMs === null ? [] : [`forecast   a limit is reached in ${Math.round(timeToLimitMs / 1_000)} s`]),
    ...(prediction === null
      ? []
      : [
          `alarm      since ${time(prediction.at)}${prediction.cleared ? ', cleared' : ''}${prediction.control ? ', nothing is done about it on purpose' : ''}`,
        ]),
    '',
    ...tableLines(
      [
        { title: 'GROUP' },
        { title: 'WEIGHT', align: 'right' },
        { title: 'HEALTH', align: 'right' },
        { title: 'POINTS OFF', align: 'right' },
      ],
      [
        ...groups.map(({ name, weight, health, points }) => [
          name,
          weight.toFixed(3),
          health.toFixed(2),
          points.toFixed(1),
        ]),
        ...(maintenancePoints > 0 ? [['maintenance', '', '', maintenancePoints.toFixed(1)]] : []),
      ],
    ),
    ...(features.length === 0
      ? []
      : [
          '',
          ...tableLines(
            [{ title: 'FEATURE' }, { title: 'LOGITS', align: 'right' }],
            features.map(({ feature, contribution }) => [
              feature,
              `${contribution > 0 ? '+' : ''}${contribution.toFixed(2)}`,
            ]),
          ),
        ]),
  ]
}
