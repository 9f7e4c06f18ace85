import { headers, NatsError, type Msg, type NatsConnection, type Payload } from 'nats'
import { checkDurableName, durableLogOf, headerBytesMax } from '../durableLogs.js'
import { checkSubject, subjects } from '../subjects.js'
import {
  NoResponder,
  RemoteFailure,
  TransportUnavailable,
  type ConnectionState,
  type Transport,
  type Unsubscribe,
} from '../transport.js'
import { connectWithin, type Connected, type NatsOptions } from './connect.js'
import { openConsumer, type NatsConsumer } from './consumer.js'
import { ensureLogs } from './logs.js'

/** Marks an answer that says how the responder failed, as in NATS micro services. */
const failureHeader = 'Nats-Service-Error'

export interface NatsTransport extends Transport {
  /**
   * Whether the broker answers within `msMax`. Of a network that is cut without a word `state` tells only seconds later.
   * Never rejects.
   */
  readonly reachable: (msMax: number) => Promise<boolean>
}

/**
 * Connects to NATS and makes the durable logs when they are missing. Afterwards it reconnects for ever by itself, and
 * consumers go on after the server was restarted, also when it lost its files.
 *
 * @throws TransportUnavailable when there is no connection within `connectWaitMs`, saying where and why; RangeError for
 * an address that is none.
 */
export async function connectNats(options: NatsOptions): Promise<NatsTransport> {
  return transportOver(await connectWithin(options), options.publishTimeoutMs ?? 2_000)
}

async function transportOver({ connection, address }: Connected, publishTimeoutMs: number): Promise<NatsTransport> {
  const manager = await connection.jetstreamManager({ timeout: publishTimeoutMs, checkAPI: false })
  const consumers = new Set<NatsConsumer>()
  const link = watchLink(connection, {
    onLost: () => consumers.forEach((consumer) => consumer.interrupt()),
    onBack: () => consumers.forEach((consumer) => consumer.revive()),
  })

  const failUnlessConnected = () => {
    if (link.state() === 'closed') throw new TransportUnavailable('the connection to NATS was closed')
    if (link.state() !== 'connected') throw new TransportUnavailable(`NATS at ${address.shown} cannot be reached now`)
  }

  let restoring: Promise<void> | undefined
  // All who notice that the logs are gone share one attempt to make them again.
  const restoreLogs = () => (restoring ??= ensureLogs(manager).finally(() => (restoring = undefined)))

  const publish = async (subject: string, payload: Payload, id: string): Promise<void> => {
    failUnlessConnected()
    const attempt = () => confirmed(connection, subject, payload, id, publishTimeoutMs)
    try {
      await attempt()
    } catch (error) {
      if (!isNoResponder(error)) throw lost(`publishing to ${subject}`, error)
      // The server has come back without its files.
      try {
        await restoreLogs()
        await attempt()
      } catch (again) {
        throw lost(`publishing to ${subject}`, again)
      }
    }
  }

  const onUnreadable = (subject: string, payload: Uint8Array, atMs: number): Promise<void> => {
    if (subject === subjects.deadletter) return Promise.resolve()
    const text = Buffer.from(payload).toString('utf8').slice(0, 1_000)
    const letter = { subject, reason: 'the message is not JSON', data: text, at: atMs }
    return publish(subjects.deadletter, JSON.stringify(letter), `unreadable-${subject}-${atMs}`)
  }

  return {
    publish: async (subject, data, { id }) => {
      durableLogOf(subject)
      await publish(subject, encode(connection, subject, data), id)
    },
    consume: async (options) => {
      checkDurableName(options.durable)
      durableLogOf(options.subject)
      failUnlessConnected()
      const context = { connection, manager, isConnected: () => link.state() === 'connected', onUnreadable }
      const consumer = await openConsumer(context, options).catch((error: unknown) => {
        throw lost(`consuming ${options.subject} as ${options.durable}`, error)
      })
      consumers.add(consumer)
      return {
        close: async () => {
          consumers.delete(consumer)
          await consumer.close()
        },
      }
    },
    broadcast: (subject, data) => {
      const payload = encode(connection, subject, data)
      if (link.state() === 'connected') connection.publish(subject, payload)
    },
    subscribe: (pattern, onMessage) => {
      const subscription = connection.subscribe(pattern, {
        callback: (error, message) => {
          if (error !== null) return
          const data = parsed(message)
          if (data !== undefined) return onMessage({ subject: message.subject, data, redeliveries: 0 })
          // Everybody who listens would bury it: the same second counts as the same letter.
          const atMs = Math.floor(Date.now() / 1_000) * 1_000
          void onUnreadable(message.subject, message.data, atMs).catch(() => undefined)
        },
      })
      return unsubscribe(connection, subscription)
    },
    request: async (subject, data, timeoutMs) => {
      const payload = encode(connection, subject, data)
      failUnlessConnected()
      return request(connection, subject, payload, timeoutMs)
    },
    respond: (pattern, onRequest) => {
      // In a queue group, so that of several who serve a subject one answers.
      const subscription = connection.subscribe(pattern, {
        queue: 'segue',
        callback: (error, message) => {
          if (error === null) void answer(connection, message, onRequest)
        },
      })
      return unsubscribe(connection, subscription)
    },
    reachable: async (msMax) => link.state() === 'connected' && (await answersWithin(connection, msMax)),
    state: link.state,
    onState: link.onState,
    close: async () => {
      await Promise.all([...consumers].map((consumer) => consumer.close()))
      consumers.clear()
      // What was acknowledged or sent last is to arrive, if there is somebody to take it.
      if (link.state() === 'connected') await Promise.race([connection.flush().catch(() => undefined), link.ended])
      await connection.close()
      await link.ended
    },
  }
}

interface Link {
  readonly state: () => ConnectionState
  readonly onState: (listener: (state: ConnectionState) => void) => void
  readonly ended: Promise<void>
}

interface LinkListeners {
  readonly onLost: () => void
  readonly onBack: () => void
}

function watchLink(connection: NatsConnection, { onLost, onBack }: LinkListeners): Link {
  const listeners = new Set<(state: ConnectionState) => void>()
  let state: ConnectionState = 'connected'
  const become = (next: ConnectionState) => {
    if (next === state) return
    state = next
    for (const listener of [...listeners]) listener(next)
  }
  const watch = async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') {
        become('disconnected')
        onLost()
      }
      if (type === 'reconnect') {
        become('connected')
        onBack()
      }
    }
  }
  void watch()
  const ended = connection.closed().then(() => become('closed'))
  return { state: () => state, onState: (listener) => void listeners.add(listener), ended }
}

/** Publishes and waits until JetStream has stored the message. */
async function confirmed(
  connection: NatsConnection,
  subject: string,
  payload: Payload,
  id: string,
  timeoutMs: number,
): Promise<void> {
  const meta = headers()
  meta.set('Nats-Msg-Id', id)
  const reply = await connection.request(subject, payload, { timeout: timeoutMs, headers: meta })
  const acknowledgement = reply.json<{ readonly error?: { readonly description?: string } }>()
  if (acknowledgement.error !== undefined) throw new Error(acknowledgement.error.description ?? 'the server refused it')
}

async function request(
  connection: NatsConnection,
  subject: string,
  payload: Payload,
  timeoutMs: number,
): Promise<unknown> {
  let reply: Msg
  try {
    reply = await connection.request(subject, payload, { timeout: timeoutMs })
  } catch (error) {
    throw isNoResponder(error)
      ? new NoResponder(`nobody serves ${subject}`, { cause: error })
      : lost(`asking ${subject}`, error)
  }
  const failure = reply.headers?.get(failureHeader) ?? ''
  if (failure !== '') throw new RemoteFailure(failure)
  return reply.json()
}

async function answersWithin(connection: NatsConnection, msMax: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), msMax)))
  const pong = connection.flush().then(
    () => true,
    () => false,
  )
  return Promise.race([pong, silence]).finally(() => clearTimeout(timer))
}

async function answer(
  connection: NatsConnection,
  message: Msg,
  onRequest: (data: unknown, subject: string) => Promise<unknown>,
): Promise<void> {
  const respond = (payload: Payload, failure?: string) => {
    if (connection.isClosed()) return
    if (failure === undefined) return void message.respond(payload)
    const meta = headers()
    // A header is one line.
    meta.set(failureHeader, failure.replaceAll(/\s+/g, ' '))
    message.respond(payload, { headers: meta })
  }
  try {
    const data = parsed(message)
    if (data === undefined) return respond('null', 'the request is not JSON')
    respond(encode(connection, message.subject, await onRequest(data, message.subject)))
  } catch (error) {
    respond('null', error instanceof Error && error.message !== '' ? error.message : `failed: ${String(error)}`)
  }
}

function unsubscribe(connection: NatsConnection, subscription: { readonly unsubscribe: () => void }): Unsubscribe {
  return {
    close: async () => {
      if (!connection.isClosed()) subscription.unsubscribe()
    },
  }
}

function parsed(message: Msg): unknown {
  try {
    return message.json()
  } catch {
    return undefined
  }
}

/** @throws RangeError when the message is larger than the server takes, or its subject is none. */
function encode(connection: NatsConnection, subject: string, data: unknown): string {
  checkSubject(subject)
  const text = JSON.stringify(data) ?? 'null'
  const bytes = Buffer.byteLength(text)
  const bytesMax = (connection.info?.max_payload ?? Infinity) - headerBytesMax
  if (bytes <= bytesMax) return text
  throw new RangeError(`a message of ${bytes} bytes to ${subject} exceeds the limit of ${bytesMax}`)
}

const isNoResponder = (error: unknown): boolean => error instanceof NatsError && error.code === '503'

const lost = (what: string, cause: unknown): TransportUnavailable => {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new TransportUnavailable(`no confirmation from NATS when ${what}: ${detail}`, { cause })
}
