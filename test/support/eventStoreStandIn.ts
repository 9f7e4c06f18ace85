import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { parseAddress, type EventStoreAddress } from '../../src/events/stores/eventstoredb/index.js'

const program = fileURLToPath(new URL('./eventstoredb/main.mjs', import.meta.url))

/** What the stand-in may be told to do wrong; see test/support/eventstoredb/faults.mjs. */
export interface StandInFault {
  readonly mode:
    | 'mute'
    | 'mute-after-commit'
    | 'drop-before-commit'
    | 'drop-after-commit'
    | 'kill-before-commit'
    | 'kill-after-commit'
    | 'not-leader'
    | 'no-leader'
    | 'busy'
    | 'denied'
    | 'timeout'
    | 'twice'
    | 'drop-reads'
    | 'slow'
  /** How many calls meet it; default: all until the next order. */
  readonly times?: number
  readonly ms?: number
  readonly after?: number
  readonly leader?: { readonly host: string; readonly port: number }
}

export interface StandInOptions {
  readonly port?: number
  readonly batchAppend?: boolean
  readonly features?: boolean
  /** Names and passwords that are let in; without TLS the client sends none. */
  readonly users?: Readonly<Record<string, string>>
  readonly tls?: { readonly key: string; readonly certificate: string }
  /** The node that it says leads the cluster; by default it does so itself. */
  readonly leader?: { readonly host: string; readonly port: number }
  /** File in which appends outlive the process. */
  readonly journal?: string
}

export interface StandInEvent {
  readonly id: string
  readonly stream: string
  readonly revision: number
  readonly type: string
  readonly data: string
  readonly metadata: string
}

/** A test double for EventStoreDB, in another process, that speaks the client's wire protocol. */
export interface EventStoreStandIn {
  readonly port: number
  /** Such as `esdb://127.0.0.1:40123?tls=false`. */
  readonly url: string
  readonly fault: (fault: StandInFault | null) => Promise<void>
  /** What it holds, other than its own statistics. */
  readonly events: () => Promise<ReadonlyArray<StandInEvent>>
  /** Kills its process, and all others in that. */
  readonly kill: (signal: NodeJS.Signals) => Promise<void>
  readonly exited: Promise<void>
  readonly stop: () => Promise<void>
}

interface Answer {
  readonly port?: number
  readonly events?: ReadonlyArray<StandInEvent>
}

/** A process for any number of stand-ins: most of what one costs is to load what it needs. */
export interface StandInProcess {
  readonly start: (options?: StandInOptions) => Promise<EventStoreStandIn>
  readonly stop: () => Promise<void>
}

/** A stand-in with a process of its own, which may be killed. */
export async function startEventStoreStandIn(options: StandInOptions = {}): Promise<EventStoreStandIn> {
  const { start, stop } = startStandInProcess()
  return { ...(await start(options)), stop }
}

export function startStandInProcess(): StandInProcess {
  const child = fork(program, [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  // One order at a time: answers carry no name.
  let last: Promise<unknown> = Promise.resolve()
  const ask = (order: object): Promise<Answer> => {
    const answer = last.then(() => {
      const coming = answerOf(child)
      child.send(order)
      return coming
    })
    last = answer.catch(() => undefined)
    return answer
  }
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    if (signal === 'SIGKILL') await exited
  }
  const start = async (options: StandInOptions = {}): Promise<EventStoreStandIn> => {
    const { port = 0 } = await ask({ type: 'begin', options })
    return {
      port,
      url: `esdb://127.0.0.1:${port}?tls=${options.tls === undefined ? 'false' : 'true'}`,
      fault: async (fault) => void (await ask({ type: 'fault', port, fault })),
      events: async () => (await ask({ type: 'events', port })).events ?? [],
      kill,
      exited,
      stop: async () => void (await ask({ type: 'end', port })),
    }
  }
  return { start, stop: () => kill('SIGKILL') }
}

function answerOf(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error('the stand-in has ended'))
    child.once('exit', onExit)
    child.once('message', (answer: Answer) => {
      child.off('exit', onExit)
      resolve(answer)
    })
  })
}

/** The address that a connection string means; a string that means none fails the test. */
export function addressOf(url: string): EventStoreAddress {
  const address = parseAddress(url)
  if (E.isLeft(address)) throw new Error(address.left)
  return address.right
}

let namespaces = 0

/** A place in a server that no other test uses: tests do not see one another's events, on a real server either. */
export const freshNamespace = (): string => `t${process.pid}.${Date.now().toString(36)}.${(namespaces += 1)}`

export const withNamespace = (url: string, namespace = freshNamespace()): string =>
  `${url}${url.includes('?') ? '&' : '?'}namespace=${namespace}`
