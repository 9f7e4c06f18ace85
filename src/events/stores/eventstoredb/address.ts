import * as E from 'fp-ts/lib/Either.js'

export interface EndPoint {
  readonly address: string
  readonly port: number
}

/** What a connection string of EventStoreDB says; see `parseAddress`. */
export interface EventStoreAddress {
  /** The one host stands for a whole cluster, whose members it knows. */
  readonly discover: boolean
  readonly hosts: ReadonlyArray<EndPoint>
  readonly credentials: { readonly username: string; readonly password: string } | null
  readonly tls: boolean
  /** Begins the name of every stream, so that several fleets and other programs share a server. */
  readonly namespace: string
  readonly files: Readonly<Partial<Record<FileSetting, string>>>
  readonly numbers: Readonly<Partial<Record<NumberSetting, number>>>
  readonly nodePreference?: NodePreference
  readonly connectionName?: string
}

const fileSettings = ['tlsCAFile', 'userCertFile', 'userKeyFile'] as const
type FileSetting = (typeof fileSettings)[number]
const numberSettings = [
  'defaultDeadline',
  'discoveryInterval',
  'gossipTimeout',
  'maxDiscoverAttempts',
  'keepAliveInterval',
  'keepAliveTimeout',
] as const
type NumberSetting = (typeof numberSettings)[number]
const nodePreferences = ['leader', 'follower', 'random', 'read_only_replica'] as const
export type NodePreference = (typeof nodePreferences)[number]

const known = [...fileSettings, ...numberSettings, 'tls', 'namespace', 'nodePreference', 'connectionName']
export const namespaceDefault = 'segue'
const portDefault = 2113

/** Settings of other clients, or of ours, that do not work here, and why. */
const refused: Readonly<Record<string, string>> = {
  tlsverifycert: 'tlsVerifyCert is not supported: give the certificate of the authority with tlsCAFile=FILE.',
  throwonappendfailure: 'throwOnAppendFailure is not for the user to choose: leave it out.',
}

/**
 * Reads `esdb://[user:password@]host[:port][,host...][?key=value&...]` or `esdb+discover://...` as EventStoreDB's clients
 * write it, with one setting of our own, `namespace`. User and password are percent-encoded. The reason on the left never
 * repeats what was given, which may hold a password.
 */
export function parseAddress(text: string): E.Either<string, EventStoreAddress> {
  const match = /^esdb(\+discover)?:\/\/(?:([^@/?]*)@)?([^@/?]+)\/?(?:\?(.*))?$/i.exec(text.trim())
  if (match === null) return E.left('Give esdb://host:2113?tls=false or esdb+discover://user:password@host:2113.')
  const [, discover, user, hostList = '', query = ''] = match
  const credentials = user === undefined ? null : credentialsOf(user)
  if (credentials === undefined) return E.left('Write user and password as user:password@, percent-encoded.')
  const hosts = hostList.split(',').map(endPointOf)
  if (!hosts.every((host) => host !== null)) return E.left('Give every host as host or host:port.')
  const settings = settingsOf(query)
  if (E.isLeft(settings)) return settings
  return E.right({ discover: discover !== undefined, hosts, credentials, ...settings.right })
}

/** The address without credentials and settings. */
export const shownAddress = ({ discover, hosts }: EventStoreAddress): string =>
  `esdb${discover ? '+discover' : ''}://${hosts.map(({ address, port }) => `${address}:${port}`).join(',')}`

function credentialsOf(text: string): EventStoreAddress['credentials'] | undefined {
  const [, username, password] = /^([^:]+):([^:]+)$/.exec(text) ?? []
  if (username === undefined || password === undefined) return undefined
  try {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) }
  } catch {
    return undefined
  }
}

function endPointOf(text: string): EndPoint | null {
  const [, address = '', port = String(portDefault)] = /^([A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(text.trim()) ?? []
  const number = Number(port)
  return address === '' || number < 1 || number > 65_535 ? null : { address, port: number }
}

type Settings = Omit<EventStoreAddress, 'discover' | 'hosts' | 'credentials'>

function settingsOf(query: string): E.Either<string, Settings> {
  let settings: Settings = { tls: true, namespace: namespaceDefault, files: {}, numbers: {} }
  for (const pair of query.split('&').filter((each) => each !== '')) {
    const [, rawKey = '', rawValue = ''] = /^([^=]+)=(.+)$/.exec(pair) ?? []
    // As the clients do: neither case nor dashes matter in a key.
    const flat = flatKey(rawKey)
    const reason = refused[flat]
    if (reason !== undefined) return E.left(reason)
    const key = known.find((each) => flatKey(each) === flat)
    if (key === undefined) return E.left(`Of the settings after "?" these are understood: ${known.join(', ')}.`)
    const next = withSetting(settings, key, decoded(rawValue))
    if (typeof next === 'string') return E.left(next)
    settings = next
  }
  return E.right(settings)
}

const flatKey = (key: string): string => key.toLowerCase().replaceAll(/[_-]/g, '')

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const isOneOf = <T extends string>(list: ReadonlyArray<T>, text: string): text is T =>
  (list as ReadonlyArray<string>).includes(text)

/** The settings with one more, or what is wrong with it. */
function withSetting(settings: Settings, key: string, value: string): Settings | string {
  if (isOneOf(fileSettings, key)) return { ...settings, files: { ...settings.files, [key]: value } }
  if (isOneOf(numberSettings, key)) {
    if (!/^-?\d{1,9}$/.test(value)) return `Give ${key} as a whole number.`
    return { ...settings, numbers: { ...settings.numbers, [key]: Number(value) } }
  }
  switch (key) {
    case 'tls':
      return value === 'true' || value === 'false'
        ? { ...settings, tls: value === 'true' }
        : 'Give tls=true or tls=false.'
    case 'namespace':
      // EventStoreDB takes what stands before the first dash for the category of a stream.
      return /^[A-Za-z0-9][A-Za-z0-9_.]{0,63}$/.test(value)
        ? { ...settings, namespace: value }
        : 'Give the namespace in 1-64 letters, digits, "_" or ".", beginning with a letter or digit.'
    case 'nodePreference': {
      const preference = value.toLowerCase().replaceAll('-', '_').replace('readonlyreplica', 'read_only_replica')
      return isOneOf(nodePreferences, preference)
        ? { ...settings, nodePreference: preference }
        : `Give nodePreference as one of ${nodePreferences.join(', ')}.`
    }
    default:
      return { ...settings, connectionName: value }
  }
}
