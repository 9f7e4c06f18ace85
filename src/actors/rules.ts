import type { Category } from '../events/index.js'
import { clientDecider } from './client/decider.js'
import type { Decider } from './decider.js'
import type { Deciders, StateByCategory } from './host/actorHost.js'
import { modelDecider, modelDeciderV1, modelDeciderV2 } from './model/decider.js'
import { serverDecider, serverDeciderV1, serverDeciderV2, serverDeciderV3 } from './server/decider.js'
import { streamDecider, streamDeciderV1, streamDeciderV2, streamDeciderV3 } from './stream/decide.js'

/**
 * Every version of the rules that a log may have been written by, oldest first. The last of a category is in force: new
 * facts are decided by it. The others are kept for replay: a changed rule gets a new version, and the decider that it
 * replaces stays here.
 */
export type RuleBook = { readonly [C in Category]: ReadonlyArray<Decider<C, StateByCategory[C]>> }

export const ruleBook = {
  server: [serverDeciderV1, serverDeciderV2, serverDeciderV3, serverDecider],
  stream: [streamDeciderV1, streamDeciderV2, streamDeciderV3, streamDecider],
  client: [clientDecider],
  model: [modelDeciderV1, modelDeciderV2, modelDecider],
} as const satisfies RuleBook

/** The rules in force, by category. */
export const deciders = {
  server: serverDecider,
  stream: streamDecider,
  client: clientDecider,
  model: modelDecider,
} as const

/** A book of one version each. */
export const bookOf = ({ server, stream, client, model }: Deciders): RuleBook => ({
  server: [server],
  stream: [stream],
  client: [client],
  model: [model],
})

/** The decider of a category that wrote `actorVersion` into its events; undefined when it is not known here. */
export function ruleOf<C extends Category>(
  book: RuleBook,
  category: C,
  actorVersion: number,
): Decider<C, StateByCategory[C]> | undefined {
  return book[category].find((decider) => decider.version === actorVersion)
}

/** The versions known of a category, for messages. */
export const versionsOf = (book: RuleBook, category: Category): ReadonlyArray<number> =>
  book[category].map((decider) => decider.version)
