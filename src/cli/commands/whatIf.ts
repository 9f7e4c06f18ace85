import { readFile, writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { defaultServerPolicy, type ServerPolicy } from '../../events/index.js'
import { describeConnection } from '../../events/stores/index.js'
import { renderWhatIf, type Alternative, type WhatIfResult } from '../../projections/index.js'
import { archivedLine } from '../../runtime/logs/verdictLines.js'
import { askLog } from '../../runtime/logs/whatIf.js'
import type { CommandContext } from '../context.js'
import { flag } from '../flags.js'
import { addLogFlags, logOf } from '../log.js'
import { statusOk, UsageError } from '../usage.js'
import { number, type Reader } from '../values.js'

interface WhatIfFlags {
  readonly threshold?: ReadonlyArray<number>
  readonly horizon?: number
  readonly model?: string
  readonly policy?: string
  readonly html?: string
  readonly json?: boolean
}

const examples = `
The facts stay as they were recorded: docs/what-if.md says what that means.

Examples:
  segue what-if --threshold 40
  segue what-if --threshold 20:60:5 --html curve.html
  segue what-if --horizon 60 --policy careful.json --json`

const alternativesMax = 50

/** A threshold, or from:to:step. */
const thresholds: Reader<ReadonlyArray<number>> = (text) => {
  const parts = text.split(':').map((part) => (/^\d+(\.\d+)?$/.test(part) ? Number(part) : Number.NaN))
  const [from = Number.NaN, to = from, step = 1] = parts
  const isSweep = parts.length === 3 && step > 0 && to >= from && (to - from) / step < alternativesMax
  if ((parts.length !== 1 && !isSweep) || parts.some(Number.isNaN) || from < 0 || to > 100) {
    throw new InvalidArgumentError(`Give a score from 0 to 100, or from:to:step with at most ${alternativesMax} steps.`)
  }
  const count = parts.length === 1 ? 1 : Math.floor((to - from) / step + 1e-9) + 1
  return Array.from({ length: count }, (_, index) => Number((from + index * step).toFixed(6)))
}

export function whatIfCommand(context: CommandContext): Command {
  const command = new Command('what-if').description(
    'Run the recorded facts through another policy or model, and compare with what was decided.',
  )
  return addLogFlags(command)
    .addOption(flag('--threshold <score>', 'another threshold, or a sweep from:to:step', { read: thresholds }))
    .addOption(
      flag('--horizon <s>', 'another horizon of the risk, in seconds', {
        read: number(1, 3_600),
      }),
    )
    .addOption(flag('--model <id>', 'a model that the log has activated'))
    .addOption(flag('--policy <file>', 'JSON with any part of a server policy'))
    .addOption(flag('--html <file>', 'write the curve and timelines as one page'))
    .addOption(flag('--json', 'print the result as one JSON object'))
    .addHelpText('after', examples)
    .action(async (flags: WhatIfFlags, self: Command) => {
      const { html, model, json = false } = flags
      const log = await logOf(self, context.env)
      const alternatives = await alternativesOf(flags)
      const result = await askLog({
        log,
        alternatives,
        ...(model === undefined ? {} : { model }),
      })
      const where = describeConnection(log)
      if (html !== undefined) await writeFile(html, renderWhatIf(result, where))
      const lines = json ? [JSON.stringify({ store: where, ...result, scores: undefined })] : tableOf(where, result)
      for (const line of lines) context.stdout.write(`${line}\n`)
      if (!json) for (const part of result.archived) context.stdout.write(`${archivedLine(part)}\n`)
      if (html !== undefined && !json) context.stdout.write(`page in ${html}\n`)
      context.done(statusOk)
    })
}

async function alternativesOf({ threshold, horizon, model, policy }: WhatIfFlags): Promise<ReadonlyArray<Alternative>> {
  const given = policy === undefined ? {} : await readPolicy(policy)
  const common: Partial<ServerPolicy> = {
    ...given,
    ...(horizon === undefined ? {} : { horizonMs: horizon * 1000 }),
  }
  const names = [
    ...(policy === undefined ? [] : [policy]),
    ...(horizon === undefined ? [] : [`horizon ${horizon} s`]),
    ...(model === undefined ? [] : [`model ${model}`]),
  ]
  if (threshold === undefined && names.length === 0) {
    throw new UsageError('say what is to be other: --threshold, --horizon, --model or --policy')
  }
  if (threshold === undefined) return [{ name: names.join(', '), policy: common }]
  return threshold.map((each) => ({
    name: [`threshold ${each}`, ...names].join(', '),
    policy: { ...common, threshold: each },
  }))
}

/** @throws UsageError for what is no part of a policy. */
async function readPolicy(path: string): Promise<Partial<ServerPolicy>> {
  const wrong = (what: string): UsageError => new UsageError(`--policy ${path} ${what}`)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw wrong(`cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong('is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('holds no object')
  for (const [name, part] of Object.entries(value)) {
    const known = (defaultServerPolicy as Readonly<Record<string, unknown>>)[name]
    if (known === undefined) throw wrong(`names ${name}; a policy has ${Object.keys(defaultServerPolicy).join(', ')}`)
    if (typeof part !== typeof known || (typeof part === 'number' && !(part >= 0))) {
      throw wrong(`gives ${name} as ${JSON.stringify(part)}; it is ${JSON.stringify(known)} by default`)
    }
  }
  return value
}

const seconds = (ms: number | undefined): string => (ms === undefined ? '-' : (ms / 1000).toFixed(1))

function tableOf(
  where: string,
  { from, until, samples, servers, failures, recorded, alternatives }: WhatIfResult,
): string[] {
  const rows = [{ ...recorded, name: 'as recorded' }, ...alternatives].map((row) => [
    row.name,
    ...[row.handovers, row.kept, row.avoided, row.new, row.earlier, row.later, row.false].map(String),
    row.falseADay.toFixed(2),
    row.recall === null ? '-' : `${Math.round(row.recall * 100)} %`,
    seconds(row.leadMs?.median),
  ])
  const head = ['', 'handovers', 'kept', 'avoided', 'new', 'earlier', 'later', 'false', 'false/day', 'recall', 'lead s']
  const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  const span =
    from === null || until === null ? '' : `, ${new Date(from).toISOString()} to ${new Date(until).toISOString()}`
  return [
    `${where}: ${samples} health samples of ${servers.length} server(s), ${failures.length} failure(s)${span}`,
    line(head),
    ...rows.map(line),
  ]
}
