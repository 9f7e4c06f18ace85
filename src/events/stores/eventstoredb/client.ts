import { readFileSync } from 'node:fs'
import type { ChannelCredentialOptions, EventStoreDBClient } from '@eventstore/db-client'
import { StoreUnavailable } from '../../errors.js'
import { shownAddress, type EventStoreAddress } from './address.js'

/** Parts of the client that its types keep to themselves. */
interface Insides {
  handleError: (client: unknown, error: unknown) => Promise<void>
  getChannel: () => Promise<{ readonly close: () => void }>
}

/**
 * A client for the address. It is built from its parts, not from the connection string: the client prints a string that it
 * does not like, with the password in it.
 *
 * @throws StoreUnavailable when a certificate file cannot be read
 */
export async function createClient(address: EventStoreAddress): Promise<EventStoreDBClient> {
  const { EventStoreDBClient: Client } = await import('@eventstore/db-client')
  const { hosts, discover, credentials, numbers, nodePreference, connectionName } = address
  const [first] = hosts
  if (first === undefined) throw new RangeError('an address needs a host')
  const common = {
    ...numbers,
    ...(connectionName === undefined ? {} : { connectionName }),
    throwOnAppendFailure: true,
  }
  const cluster = { ...common, ...(nodePreference === undefined ? {} : { nodePreference }) }
  const security = channelCredentials(address)
  const user = credentials ?? undefined
  // Given a name to look up, the client takes no other: of a list, every node is asked for the others.
  const client =
    hosts.length > 1
      ? new Client({ ...cluster, endpoints: [...hosts] }, security, user)
      : discover
        ? new Client({ ...cluster, discover: first }, security, user)
        : new Client({ ...common, endpoint: first }, security, user)
  return contained(client)
}

/**
 * The client reconnects in the background, and nobody waits for the outcome: when no node can be found, that rejection
 * would end the process. Whoever calls the client next meets the same failure, so nothing is hidden.
 */
function contained(client: EventStoreDBClient): EventStoreDBClient {
  const insides = client as unknown as Insides
  const handle = insides.handleError
  insides.handleError = (...args) => handle(...args).catch(() => undefined)
  return client
}

function channelCredentials(address: EventStoreAddress): ChannelCredentialOptions {
  const { tlsCAFile, userCertFile, userKeyFile } = address.files
  if (!address.tls) return { insecure: true }
  if ((userCertFile === undefined) !== (userKeyFile === undefined)) {
    throw new StoreUnavailable('userCertFile and userKeyFile belong together: give both')
  }
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path)
    } catch (error) {
      throw new StoreUnavailable(`the certificate file ${path} cannot be read: ${(error as Error).message}`, error)
    }
  }
  return {
    ...(tlsCAFile === undefined ? {} : { rootCertificate: read(tlsCAFile) }),
    ...(userCertFile === undefined ? {} : { userCertFile: read(userCertFile) }),
    ...(userKeyFile === undefined ? {} : { userKeyFile: read(userKeyFile) }),
  }
}

/** Ends what the client still does, and its connection. */
export async function disposeClient(client: EventStoreDBClient): Promise<void> {
  // Not waited for: it waits for the end of every call, and some of its calls never tell of theirs.
  void client.dispose().catch(() => undefined)
  const channel = await (client as unknown as Insides).getChannel().catch(() => undefined)
  try {
    channel?.close()
  } catch {
    // It was closed before.
  }
}

/**
 * The client for appends, replaced when it has fallen silent: its batch stream has no deadline, and a connection that hangs
 * would hang every append behind it.
 */
export class ReplaceableClient {
  readonly #address: EventStoreAddress
  #current: EventStoreDBClient
  #closed = false

  static async open(address: EventStoreAddress): Promise<ReplaceableClient> {
    return new ReplaceableClient(address, await createClient(address))
  }

  private constructor(address: EventStoreAddress, client: EventStoreDBClient) {
    this.#address = address
    this.#current = client
  }

  get current(): EventStoreDBClient {
    return this.#current
  }

  get shown(): string {
    return shownAddress(this.#address)
  }

  /** Whatever is under way on the failed one is broken off; its callers learn that the outcome is unknown. */
  async replace(failed: EventStoreDBClient): Promise<void> {
    if (this.#closed || failed !== this.#current) return
    const next = await createClient(this.#address)
    if (this.#closed || failed !== this.#current) return disposeClient(next)
    this.#current = next
    await disposeClient(failed)
  }

  async close(): Promise<void> {
    this.#closed = true
    await disposeClient(this.#current)
  }
}
