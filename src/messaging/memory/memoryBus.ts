import { checkDurableName, durableLogOf, durableLogs, messageBytesMax, subjectMatches } from '../durableLogs.js'
import { realSchedule, type Schedule } from '../lanes.js'
import { checkSubject } from '../subjects.js'
import {
  NoResponder,
  RemoteFailure,
  TransportUnavailable,
  type ConnectionState,
  type Message,
  type Transport,
  type Unsubscribe,
} from '../transport.js'
import { createMemoryLog, type MemoryLog } from './memoryLog.js'

export interface MemoryBusOptions {
  /** Runs things later: deliveries, pauses, time-outs. Default: timers; a simulation gives its own. */
  readonly schedule?: Schedule
  /** Milliseconds that only rise, for the duplicate window and the age of messages. Default: performance.now. */
  readonly now?: () => number
}

export interface MemoryBus {
  readonly connect: (name: string) => Transport
  /** As if the broker could not be reached: connected transports become `disconnected` and publishing fails. */
  readonly interrupt: () => void
  readonly resume: () => void
}

interface Listener {
  readonly pattern: string
  readonly onMessage: (message: Message) => void
}
interface Responder {
  readonly pattern: string
  readonly onRequest: (data: unknown, subject: string) => Promise<unknown>
}

/** The state that the clients of one bus share. */
interface Shared {
  readonly logs: ReadonlyMap<string, MemoryLog>
  readonly listeners: Set<Listener>
  readonly responders: Set<Responder>
  readonly stateListeners: Set<(state: ConnectionState) => void>
  readonly schedule: Schedule
  interrupted: boolean
}

/**
 * A broker within the process, with the semantics of the NATS transport: durable logs with remembered positions,
 * duplicates recognised by id, delivery later than the call that caused it.
 */
export function createMemoryBus(options: MemoryBusOptions = {}): MemoryBus {
  const { schedule = realSchedule, now = () => performance.now() } = options
  const shared: Shared = {
    logs: new Map(durableLogs.map((log) => [log.name, createMemoryLog(log, schedule, now)])),
    listeners: new Set(),
    responders: new Set(),
    stateListeners: new Set(),
    schedule,
    interrupted: false,
  }
  const setInterrupted = (interrupted: boolean) => {
    if (interrupted === shared.interrupted) return
    shared.interrupted = interrupted
    for (const log of shared.logs.values()) log.setPaused(interrupted)
    for (const listener of [...shared.stateListeners]) listener(interrupted ? 'disconnected' : 'connected')
  }
  return {
    connect: (name) => connect(name, shared),
    interrupt: () => setInterrupted(true),
    resume: () => setInterrupted(false),
  }
}

/** A bus with a single client, for programs that run in one process. */
export const createMemoryTransport = (options?: MemoryBusOptions): Transport =>
  createMemoryBus(options).connect('alone')

function connect(name: string, shared: Shared): Transport {
  const open = new Set<Unsubscribe>()
  const stateListeners = new Set<(state: ConnectionState) => void>()
  let closed = false
  const tellState = (state: ConnectionState) => {
    for (const listener of [...stateListeners]) listener(state)
  }
  shared.stateListeners.add(tellState)

  const unavailable = (): TransportUnavailable | undefined => {
    if (closed) return new TransportUnavailable(`the connection ${name} was closed`)
    return shared.interrupted ? new TransportUnavailable('the broker cannot be reached') : undefined
  }
  const failIfUnavailable = () => {
    const reason = unavailable()
    if (reason !== undefined) throw reason
  }
  const track = (close: () => Promise<void> | void): Unsubscribe => {
    const unsubscribe: Unsubscribe = {
      close: async () => {
        open.delete(unsubscribe)
        await close()
      },
    }
    open.add(unsubscribe)
    return unsubscribe
  }
  const logOf = (subject: string): MemoryLog => {
    const log = shared.logs.get(durableLogOf(subject).name)
    if (log === undefined) throw new RangeError(`subject ${subject} is not durable`)
    return log
  }

  return {
    publish: async (subject, data, { id }) => {
      const log = logOf(subject)
      const text = encode(subject, data)
      failIfUnavailable()
      await new Promise<void>((resolve) => shared.schedule(resolve, 0))
      failIfUnavailable()
      log.append(subject, text, id)
    },
    consume: async (options) => {
      checkDurableName(options.durable)
      const log = logOf(options.subject)
      failIfUnavailable()
      const bound = log.bind(options)
      return track(() => bound.close())
    },
    broadcast: (subject, data) => {
      const text = encode(subject, data)
      if (unavailable() !== undefined) return
      for (const listener of [...shared.listeners].filter(({ pattern }) => subjectMatches(pattern, subject))) {
        shared.schedule(() => {
          if (!shared.listeners.has(listener) || shared.interrupted) return
          listener.onMessage({ subject, data: JSON.parse(text), redeliveries: 0 })
        }, 0)
      }
    },
    subscribe: (pattern, onMessage) => {
      const listener = { pattern, onMessage }
      shared.listeners.add(listener)
      return track(() => void shared.listeners.delete(listener))
    },
    request: async (subject, data, timeoutMs) => {
      const text = encode(subject, data)
      failIfUnavailable()
      return ask(shared, subject, text, timeoutMs)
    },
    respond: (pattern, onRequest) => {
      const responder = { pattern, onRequest }
      shared.responders.add(responder)
      return track(() => void shared.responders.delete(responder))
    },
    state: () => (closed ? 'closed' : shared.interrupted ? 'disconnected' : 'connected'),
    onState: (listener) => void stateListeners.add(listener),
    close: async () => {
      if (closed) return
      closed = true
      await Promise.all([...open].map((unsubscribe) => unsubscribe.close()))
      shared.stateListeners.delete(tellState)
      tellState('closed')
    },
  }
}

function ask(shared: Shared, subject: string, text: string, timeoutMs: number): Promise<unknown> {
  const responder = [...shared.responders].find(({ pattern }) => subjectMatches(pattern, subject))
  if (responder === undefined) return Promise.reject(new NoResponder(`nobody serves ${subject}`))
  return new Promise((resolve, reject) => {
    const late = () => reject(new TransportUnavailable(`no answer to ${subject} within ${timeoutMs} ms`))
    const cancel = shared.schedule(late, timeoutMs)
    const answer = (settle: () => void) => {
      // An answer that comes while the connection is interrupted is lost; the asker runs into the time-out.
      if (shared.interrupted) return
      cancel()
      settle()
    }
    shared.schedule(() => {
      new Promise((done) => done(responder.onRequest(JSON.parse(text), subject))).then(
        (result) => answer(() => resolve(JSON.parse(JSON.stringify(result ?? null)))),
        (error: unknown) =>
          answer(() => reject(new RemoteFailure(error instanceof Error ? error.message : String(error)))),
      )
    }, 0)
  })
}

/** @throws RangeError when the message is larger than a broker takes, or its subject is none. */
function encode(subject: string, data: unknown): string {
  checkSubject(subject)
  const text = JSON.stringify(data) ?? 'null'
  const bytes = Buffer.byteLength(text)
  if (bytes <= messageBytesMax) return text
  throw new RangeError(`a message of ${bytes} bytes to ${subject} exceeds the limit of ${messageBytesMax}`)
}
