// Faults, made from outside: nothing in the processes knows of them.
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { WebSocket } from 'ws'
import { storePathIn } from '../../dist/runtime/dataDirectory.js'
import { pause, until } from './waiting.mjs'

/** Kills the process of a role. The fleet's supervisor starts another. */
export const kill = (stage, role) => stage.fleet.kill(role, 'SIGKILL')

/** Suspends the process of a role for a while. */
export async function suspend(stage, role, ms) {
  const pid = stage.fleet.pids()[role]
  process.kill(pid, 'SIGSTOP')
  await pause(ms)
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It was ended meanwhile.
  }
}

/** Kills the process of a role for a while, each time that the fleet has started it again. */
export async function keepDown(stage, role, ms) {
  const endsAt = performance.now() + ms
  while (performance.now() < endsAt) {
    try {
      process.kill(stage.fleet.pids()[role], 'SIGKILL')
    } catch {
      // It has not been started again yet.
    }
    await pause(20)
  }
}

/** Takes the log's write lock from another process, so that nothing can be committed for a while. */
export async function lockStore(stage, ms) {
  const db = new Database(storePathIn(stage.fleet.dataDir), { timeout: 4_000 })
  try {
    db.exec('BEGIN IMMEDIATE')
    await pause(ms)
    db.exec('ROLLBACK')
  } finally {
    db.close()
  }
}

/** What the control plane is started with, so that its threads can be reached. */
export const reachableThreads = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' }

/** Gets hold of the thread that writes the log, by Node's inspector. `kill()` ends that thread and nothing else. */
export async function holdStoreThread(stage) {
  const logFile = join(stage.fleet.dataDir, 'logs', 'control.log')
  const addresses = async () =>
    [...(await readFile(logFile, 'utf8')).matchAll(/Debugger listening on (ws:\S+)/g)].map(([, url]) => url)
  const known = (await addresses()).length
  process.kill(stage.fleet.pids().control, 'SIGUSR1')
  const connect = async () => {
    const url = (await addresses()).at(-1)
    return url === undefined ? null : openInspector(url).catch(() => null)
  }
  // Asked before, it listens already and says nothing new.
  const inspector = await until(connect, `the control plane to be reachable (${known} addresses before)`, 5_000)
  const session = await inspector.worker((url) => url.includes('stores/sqlite/worker'))
  return {
    kill: () => inspector.evaluate(session, 'process.exit(1)'),
    release: () => inspector.close(),
  }
}

async function openInspector(url) {
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  const workers = []
  let id = 0
  socket.on('message', (data) => {
    const { method, params } = JSON.parse(String(data))
    if (method === 'NodeWorker.attachedToWorker') workers.push(params)
  })
  const send = (method, params) => socket.send(JSON.stringify({ id: (id += 1), method, params }))
  send('NodeWorker.enable', { waitForDebuggerOnStart: false })
  return {
    worker: (wanted) =>
      until(() => workers.find(({ workerInfo }) => wanted(workerInfo.url))?.sessionId, 'the thread that writes', 5_000),
    evaluate: (sessionId, expression) => {
      const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } })
      send('NodeWorker.sendMessageToWorker', { sessionId, message })
    },
    close: () => socket.close(),
  }
}

/** Takes all the space that is left on the disk of the fleet's files, and gives it back after a while. */
export async function fillDisk(stage, ms) {
  const path = join(stage.fleet.dataDir, 'filling')
  const file = await open(path, 'w')
  const block = Buffer.alloc(64 * 1024)
  try {
    for (let bytes = block.length; bytes >= 1;) {
      try {
        await file.write(block, 0, bytes)
      } catch (error) {
        if (error.code !== 'ENOSPC') throw error
        bytes = Math.floor(bytes / 2)
      }
    }
    const endsAt = performance.now() + ms
    // What others give back meanwhile is taken as well.
    while (performance.now() < endsAt) {
      await file.write(block, 0, 4_096).catch(() => undefined)
      await pause(100)
    }
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}

/** Kills the broker and removes everything that it had stored, before the fleet starts it again. */
export async function wipeBroker(stage) {
  kill(stage, 'nats')
  await rm(join(stage.fleet.dataDir, 'nats', 'jetstream'), { recursive: true, force: true, maxRetries: 5 })
}
