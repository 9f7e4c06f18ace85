import { connect, type NatsConnection } from 'nats'

export interface BrokerWatchOptions {
  readonly url: string
  /** Time without an answer from its durable logs after which a broker counts as hung, ms. */
  readonly silentMsMax: number
  readonly onHung: (silentMs: number) => void
  /** Default 2 000. */
  readonly everyMs?: number
}

export interface BrokerWatch {
  /** Resolves when no connection is left; a broker that hangs while one is being made may take half of `silentMsMax`. */
  readonly stop: () => Promise<void>
}

/**
 * Asks a NATS server again and again for its JetStream account. A server can accept connections and answer pings while
 * its durable logs are stuck for good: nats-server 2.9 is left so by a disk that was full for some seconds, and then every
 * client that publishes hangs as well. `onHung` is called once.
 */
export function watchBroker({ url, silentMsMax, onHung, everyMs = 2_000 }: BrokerWatchOptions): BrokerWatch {
  const askMsMax = Math.min(silentMsMax / 2, 5_000)
  let answeredAt = performance.now()
  let connection: NatsConnection | null = null
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  const ask = async (): Promise<void> => {
    connection ??= await connect({ servers: new URL(url).host, name: 'segue-broker-watch', timeout: askMsMax })
    if (stopped) return
    const manager = await connection.jetstreamManager({ timeout: askMsMax, checkAPI: false })
    await manager.getAccountInfo()
    answeredAt = performance.now()
  }
  const look = async (): Promise<void> => {
    try {
      await ask()
    } catch {
      await close()
    }
    // Also the connection that was made while somebody said stop.
    if (stopped) return close()
    const silentMs = performance.now() - answeredAt
    if (silentMs > silentMsMax) {
      stopped = true
      onHung(silentMs)
    } else {
      timer = setTimeout(() => void (looking = look()), everyMs)
    }
  }
  const close = async (): Promise<void> => {
    const open = connection
    connection = null
    await open?.close().catch(() => undefined)
  }
  let looking = look()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await close()
      await looking
    },
  }
}
