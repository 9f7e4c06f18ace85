// What benchmarks stand on: real parts of a fleet as processes of their own, and how figures are shown.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild } from '../dist/runtime/fleet/child.js'
import { startNatsProcess } from '../dist/runtime/natsProcess.js'

export const segue = fileURLToPath(new URL('../bin/segue.mjs', import.meta.url))

/** Minimum, median and maximum, as they stand in a table. */
export function spread(numbers, digits = 0) {
  const sorted = numbers.filter((each) => typeof each === 'number').toSorted((a, b) => a - b)
  if (sorted.length === 0) return '-'
  return [sorted[0], quantile(sorted, 0.5), sorted.at(-1)].map((each) => each.toFixed(digits)).join(' / ')
}

/** The value that this share of the (sorted) numbers does not exceed. */
export const quantile = (sorted, share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]

export const row = (...cells) => `| ${cells.join(' | ')} |`

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export async function until(condition, what, timeoutMs = 20_000) {
  const endsAt = performance.now() + timeoutMs
  while (performance.now() < endsAt) {
    const value = await condition()
    if (value !== undefined && value !== null && value !== false) return value
    await pause(20)
  }
  throw new Error(`no ${what} within ${timeoutMs} ms`)
}

/** A folder for temporary files, a broker, and whatever else is started on it; `close` ends and removes all of it. */
export async function openStage() {
  const dir = await mkdtemp(join(tmpdir(), 'segue-bench-'))
  const natsPort = await freePort()
  const startNats = () => startNatsProcess({ dataDir: join(dir, 'nats'), port: natsPort })
  let nats = await startNats()
  const children = []
  const closers = []
  const close = async () => {
    for (const closer of closers.splice(0)) await Promise.resolve(closer()).catch(() => undefined)
    await Promise.all(children.map((child) => child.stop()))
    await nats.stop()
    await rm(dir, { recursive: true, force: true })
  }
  /** Starts a Node program and resolves once it says that it is ready. */
  const start = async (role, program, args) => {
    await mkdir(join(dir, role), { recursive: true })
    const child = startChild({
      ...{ role, program, args, logFile: join(dir, `${role}.log`) },
      env: process.env,
      onMessage: (message) => {
        if (message.type === 'log' && message.level !== 'info') console.error(`${role}: ${message.message}`)
      },
      now: Date.now,
    })
    children.push(child)
    return { ...(await child.ready), pid: child.pid, stop: () => child.stop() }
  }
  /** Starts a command of segue. */
  const part = (role, command, ...flags) =>
    start(role, segue, [command, '--nats', nats.url, '--port', '0', '--data', join(dir, role), ...flags])
  return {
    ...{ dir, natsUrl: nats.url, start, part, close },
    get natsPid() {
      return nats.pid
    },
    /** After it was killed. */
    async restartNats() {
      nats = await startNats()
    },
    /** Runs before the processes are ended. */
    onClose: (closer) => void closers.push(closer),
  }
}

/** Runs the work on a stage and leaves nothing behind, whatever happens. */
export async function onStage(work) {
  const stage = await openStage()
  const leave = async () => {
    await stage.close()
    process.exit(130)
  }
  process.once('SIGINT', leave)
  process.once('SIGTERM', leave)
  try {
    return await work(stage)
  } finally {
    process.off('SIGINT', leave)
    process.off('SIGTERM', leave)
    await stage.close()
  }
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
