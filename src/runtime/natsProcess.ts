import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { makeFolder } from '../events/stores/folder.js'

export interface NatsProcessOptions {
  /** Holds the durable logs (`jetstream/`) and the server's own log (`nats.log`); made when missing. */
  readonly dataDir: string
  readonly port: number
  /** Address to listen on; default 127.0.0.1, so that only this machine reaches it. */
  readonly host?: string
  /** Default: `nats-server`, looked up in PATH. */
  readonly binary?: string
  /** How long the server may take until it accepts connections; default 10 000. */
  readonly readyTimeoutMs?: number
  /** Give it a process group of its own, so that Ctrl-C in the terminal does not reach it. Default false. */
  readonly detached?: boolean
}

export interface NatsProcess {
  readonly url: string
  readonly pid: number
  readonly logFile: string
  /** Resolves when the server has ended, for whatever reason, with a sentence that says how. */
  readonly exited: Promise<string>
  /** Asks the server to end, insists after 5 s, and resolves when it is gone. */
  readonly stop: () => Promise<void>
  /** Ends it at once (SIGKILL), whatever it is doing; nothing happens when it has ended. */
  readonly kill: () => void
}

/** nats-server could not be started. `reason` tells a program, the message tells a person what to do. */
export class NatsProcessFailed extends Error {
  readonly _tag = 'NatsProcessFailed'
  constructor(
    readonly reason: 'binary-missing' | 'port-in-use' | 'ended' | 'not-ready',
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause })
  }
}

/** Starts a nats-server of our own with JetStream, and resolves when it accepts connections. */
export async function startNatsProcess(options: NatsProcessOptions): Promise<NatsProcess> {
  const {
    dataDir,
    port,
    host = '127.0.0.1',
    binary = 'nats-server',
    readyTimeoutMs = 10_000,
    detached = false,
  } = options
  makeFolder(join(dataDir, 'jetstream'))
  const logFile = join(dataDir, 'nats.log')
  // The name tells our server apart from another one that already listens on the port.
  const serverName = `segue-${randomBytes(8).toString('hex')}`
  const child = spawn(
    binary,
    [
      ...['--jetstream', '--store_dir', join(dataDir, 'jetstream')],
      ...['--addr', host, '--port', String(port), '--name', serverName],
      ...['--log', logFile, '--log_size_limit', String(16 * 1024 * 1024)],
    ],
    { stdio: 'ignore', detached },
  )
  const exited = exitOf(child)
  const pid = await pidOf(child, binary)
  const endWithUs = () => void child.kill('SIGKILL')
  process.once('exit', endWithUs)
  void exited.then(() => process.removeListener('exit', endWithUs))

  const stop = async () => {
    child.kill('SIGTERM')
    const insist = setTimeout(() => child.kill('SIGKILL'), 5_000)
    await exited
    clearTimeout(insist)
  }
  const url = `nats://${host.includes(':') ? `[${host}]` : host}:${port}`
  try {
    await untilReady({ child, host: reachable(host), port, serverName, readyTimeoutMs, logFile, exited, binary })
  } catch (error) {
    await stop()
    throw error
  }
  return { url, pid, logFile, exited, stop, kill: endWithUs }
}

const exitOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`))
    child.once('error', (error) => resolve(error.message))
  })

function pidOf(child: ChildProcess, binary: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      const missing = 'code' in error && error.code === 'ENOENT'
      const message = missing
        ? `${binary} was not found; install NATS server 2.9 or newer (e.g. apt-get install nats-server), or give the path of its binary`
        : `${binary} could not be started: ${error.message}`
      reject(new NatsProcessFailed('binary-missing', message, error))
    })
    child.once('spawn', () => (child.pid === undefined ? undefined : resolve(child.pid)))
  })
}

const reachable = (host: string): string => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host)

interface Starting {
  readonly child: ChildProcess
  readonly host: string
  readonly port: number
  readonly serverName: string
  readonly readyTimeoutMs: number
  readonly logFile: string
  readonly exited: Promise<string>
  readonly binary: string
}

async function untilReady(starting: Starting): Promise<void> {
  const { child, host, port, serverName, readyTimeoutMs, logFile, exited, binary } = starting
  const deadlineMs = performance.now() + readyTimeoutMs
  while (performance.now() < deadlineMs) {
    if (child.exitCode !== null || child.signalCode !== null) throw await whyEnded(starting, await exited)
    const info = await serverInfo(host, port)
    if (info?.includes(`"server_name":"${serverName}"`)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new NatsProcessFailed(
    'not-ready',
    `${binary} did not accept connections on ${host}:${port} within ${readyTimeoutMs} ms; see ${logFile}`,
  )
}

async function whyEnded({ binary, host, port, logFile }: Starting, how: string): Promise<NatsProcessFailed> {
  const log = await readFile(logFile, 'utf8').catch(() => '')
  const fatal = log.split('\n').findLast((line) => line.includes('[FTL]')) ?? ''
  if (fatal.includes('address already in use')) {
    const message = `port ${port} on ${host} is in use by another program; end it or choose another port`
    return new NatsProcessFailed('port-in-use', message)
  }
  const detail = fatal === '' ? '' : `: ${fatal.slice(fatal.indexOf('[FTL]') + 6)}`
  return new NatsProcessFailed('ended', `${binary} ended while starting (${how})${detail}; see ${logFile}`)
}

/** The INFO line that a NATS server sends to whoever connects; undefined when nobody answers. */
function serverInfo(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    let received = ''
    const finish = (value: string | undefined) => {
      socket.destroy()
      resolve(value)
    }
    socket.setTimeout(1_000, () => finish(undefined))
    socket.on('error', () => finish(undefined))
    socket.on('close', () => finish(undefined))
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (received.includes('\r\n')) finish(received)
    })
  })
}
