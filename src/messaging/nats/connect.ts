import { readFile } from 'node:fs/promises'
import { connect, credsAuthenticator, type ConnectionOptions, type NatsConnection } from 'nats'
import { TransportUnavailable } from '../transport.js'
import { parseAddress, type NatsAddress } from './address.js'
import { ensureLogs } from './logs.js'

export interface NatsOptions {
  /** `nats://[user:password@|token@]host[:port]` or `tls://...`; several with commas between. */
  readonly url: string
  /** Shown in the server's list of connections. */
  readonly name: string
  /** How long to try for the first connection; default 10 000. Afterwards it reconnects for ever. */
  readonly connectWaitMs?: number
  /** How long the server may take to confirm a publication; default 2 000. */
  readonly publishTimeoutMs?: number
  /** A NATS credentials file (JWT and seed). */
  readonly credentialsFile?: string
  /** Certificate authority that signed the server's certificate, PEM. */
  readonly caFile?: string
}

export interface Connected {
  readonly connection: NatsConnection
  readonly address: NatsAddress
}

const pauseMs = 250

/** Connects and makes the durable logs, trying until `connectWaitMs` is over. */
export async function connectWithin(options: NatsOptions): Promise<Connected> {
  const { connectWaitMs = 10_000 } = options
  const address = parseAddress(options.url)
  const settings = await connectionOptions(options, address)
  const deadlineMs = performance.now() + connectWaitMs
  for (;;) {
    try {
      return { connection: await connectOnce(settings), address }
    } catch (error) {
      if (performance.now() + pauseMs >= deadlineMs) throw unavailable(address, connectWaitMs, error)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

async function connectOnce(settings: ConnectionOptions): Promise<NatsConnection> {
  const connection = await connect(settings)
  try {
    await ensureLogs(await connection.jetstreamManager({ timeout: 2_000 }))
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

async function connectionOptions(options: NatsOptions, address: NatsAddress): Promise<ConnectionOptions> {
  const { name, credentialsFile, caFile } = options
  return {
    name,
    servers: [...address.servers],
    ...address.connection,
    ...(caFile === undefined ? {} : { tls: { caFile } }),
    ...(credentialsFile === undefined ? {} : { authenticator: credsAuthenticator(await readFile(credentialsFile)) }),
    maxReconnectAttempts: -1,
    reconnectTimeWait: pauseMs,
    reconnectJitter: 50,
    // A server that is still reading its users must not end the connection for good.
    ignoreAuthErrorAbort: true,
    timeout: 2_000,
    // A peer that is gone without a word is noticed after three of these.
    pingInterval: 2_000,
    maxPingOut: 2,
    noAsyncTraces: true,
  }
}

function unavailable({ shown }: NatsAddress, waitedMs: number, cause: unknown): TransportUnavailable {
  const detail = cause instanceof Error ? cause.message : String(cause)
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
  const hint =
    code === '503'
      ? 'the server runs without JetStream: start it with --jetstream'
      : code.startsWith('AUTH')
        ? `the server refuses the credentials (${detail})`
        : `${detail}; is nats-server running there?`
  return new TransportUnavailable(`no connection to NATS at ${shown} within ${waitedMs} ms: ${hint}`, { cause })
}
