import type { Command } from 'commander'
import { budgetBounds } from '../runtime/control/policyCheck.js'
import { defaultDataRoot } from '../runtime/dataDirectory.js'
import { modelsBeside, modelsIn, type KnownModel } from '../runtime/models/index.js'
import type { StoreConnection } from '../events/stores/index.js'
import type { CommandContext } from './context.js'
import { flag } from './flags.js'
import { addLogFlags } from './log.js'
import { number } from './values.js'

/** The flags of commands that read a log together with its models. */
export const addModelFlags = (command: Command): Command =>
  addLogFlags(command).addOption(flag('--models <dir>', 'folder of the models (default: models beside the log)'))

export const budgetFlag = (about: string) =>
  flag('--budget <number>', about, { read: number(budgetBounds.min, budgetBounds.max), default: 1 })

/** Where the models of a log are. */
export function modelsFolderOf(command: Command, log: StoreConnection, { env }: CommandContext): string {
  const given = command.opts<{ readonly models?: string }>().models
  return given ?? modelsBeside(log) ?? modelsIn(defaultDataRoot({ env }))
}

const percent = (share: number | null): string => (share === null ? '-' : `${Math.round(100 * share)} %`)
const signed = (share: number): string => `${share > 0 ? '+' : ''}${Math.round(100 * share)}`

/** How a model compared with the one in force, in a few words; empty: it was not compared. */
export function comparisonText(comparison: KnownModel['comparison']): string {
  if (comparison === null) return ''
  const { challenger, champion, gain } = comparison
  const recalls = `recall ${percent(challenger.recall)} against ${percent(champion.recall)}`
  return `${recalls}, gain ${signed(gain.value)} (${signed(gain.low)} to ${signed(gain.high)}) points of ${challenger.incidents} incidents`
}
