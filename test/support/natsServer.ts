import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NatsProcessFailed, startNatsProcess, type NatsProcess } from '../../src/runtime/natsProcess.js'

export interface NatsTestServer {
  readonly url: string
  /** Process id of the server that runs now; changes with a restart. */
  readonly pid: number
  /** Ends the server and removes its files. */
  readonly stop: () => Promise<void>
  /** Ends the server as a crash would (SIGKILL) and leaves its files, so that `start` can bring it back. */
  readonly kill: () => Promise<void>
  /** Brings a killed server back at the same address. */
  readonly start: () => Promise<void>
  /** Kill and start. With `wipe`, everything that it had stored is gone. */
  readonly restart: (options?: { readonly wipe?: boolean }) => Promise<void>
}

/** Whether nats-server is installed; without it the tests that need it are skipped. */
export const hasNatsServer = spawnSync('nats-server', ['--version'], { stdio: 'ignore' }).error === undefined

/** A real nats-server with JetStream on a free port, its files in a temporary folder. */
export async function startNatsServer(): Promise<NatsTestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'segue-nats-'))
  let running = await startOnFreePort(dataDir)
  const { url } = running
  const port = Number(new URL(url).port)

  const kill = async () => {
    process.kill(running.pid, 'SIGKILL')
    await running.exited
  }
  const start = async () => {
    running = await startNatsProcess({ dataDir, port })
  }
  return {
    url,
    get pid() {
      return running.pid
    },
    kill,
    start,
    restart: async ({ wipe = false } = {}) => {
      await kill()
      if (wipe) await rm(join(dataDir, 'jetstream'), { recursive: true, force: true })
      await start()
    },
    stop: async () => {
      await running.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

// Below the range that the kernel gives to outgoing connections: a client that retries a local port of that range while
// the server is down can end up connected to itself.
const portMin = 12_000
const portMax = 30_000

async function startOnFreePort(dataDir: string, triesLeft = 20): Promise<NatsProcess> {
  try {
    return await startNatsProcess({ dataDir, port: randomInt(portMin, portMax) })
  } catch (error) {
    const taken = error instanceof NatsProcessFailed && error.reason === 'port-in-use'
    if (!taken || triesLeft === 0) throw error
    return startOnFreePort(dataDir, triesLeft - 1)
  }
}
