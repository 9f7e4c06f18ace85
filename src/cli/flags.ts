import { Option } from 'commander'
import { connectionForms } from '../events/stores/index.js'
import type { Reader } from './values.js'
import { audioTrackList, eventStore, natsUrl, number, renditionList } from './values.js'

export interface FlagSpec<T> {
  readonly default?: T
  /** How the default is shown when its value does not explain itself. */
  readonly defaultText?: string
  readonly read?: Reader<T>
  readonly choices?: ReadonlyArray<string>
}

/** A flag that may also be set by an environment variable: `--memory-limit` by SEGUE_MEMORY_LIMIT. */
export function flag<T = string>(flags: string, description: string, spec: FlagSpec<T> = {}): Option {
  const option = new Option(flags, description).env(environmentName(flags))
  if (spec.read !== undefined) option.argParser(spec.read)
  if (spec.choices !== undefined) option.choices([...spec.choices])
  if (spec.default !== undefined) option.default(spec.default, spec.defaultText)
  return option
}

/** A flag that may be repeated; the values are collected as they were written. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description)
    .env(environmentName(flags))
    .argParser((text: string, before: ReadonlyArray<string> | undefined) => [...(before ?? []), text])
}

export function environmentName(flags: string): string {
  const [, name = ''] = /--([a-z-]+)/.exec(flags) ?? []
  return `SEGUE_${name.toUpperCase().replaceAll('-', '_')}`
}

/** Where NATS is; NATS_URL serves as well as SEGUE_NATS. */
export function natsFlag(env: NodeJS.ProcessEnv, fallback?: string): Option {
  const fromNatsUrl = env.NATS_URL === undefined || env.NATS_URL === '' ? undefined : env.NATS_URL
  const spec = { read: natsUrl, ...defaultOf(fromNatsUrl ?? fallback) }
  return flag('--nats <url>', 'NATS server with JetStream; NATS_URL is understood as well', spec)
}

/** Where the log is. */
export const eventStoreFlag = (otherwise: string): Option =>
  flag('--eventstore <where>', `the log: ${connectionForms} (default: ${otherwise})`, { read: eventStore })

export const keysFlag = (): Option =>
  flag('--keys <dir>', 'keys that sign the integrity ledger (default: keys in the data folder)')

export const checkpointFlag = (): Option =>
  flag('--checkpoint-every <s>', 'seconds between two signed checkpoints of the ledger', {
    default: 10,
    read: number(0.2, 3_600),
  })

const defaultOf = (value: string | undefined) => (value === undefined ? {} : { default: value })

export const natsUrlDefault = 'nats://127.0.0.1:4222'

export const standbyModes = ['hot', 'warm', 'cold'] as const
export const standbyHelp =
  'hot: the standby encodes all the time; warm: it holds verified copies and encodes when needed; cold: nothing until needed'

/** What sound tracks a stream has. */
export const audioTracksFlag = (): Option =>
  flag(
    '--audio-tracks <list>',
    "languages of the source's sound tracks in their order, such as en,de,en=Commentary (default: the first track, of any language)",
    { read: audioTrackList },
  )

/** What pictures a stream has. */
export const renditionsFlag = (): Option =>
  flag(
    '--renditions <list>',
    'pictures of the stream from one encoder, largest first, and audio to offer the sound alone, such as 720p,360p,audio; instead of --height',
    { read: renditionList },
  )
