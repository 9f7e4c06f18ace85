import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { SetupError } from './output.mjs'

const STALE_AFTER_MS = 30 * 60_000
const POLL_MS = 200

/**
 * Does the work while nobody else does: two starts at the same time must not install into the same folder. The holder's
 * process id is in the lock file, so a lock left by a killed process is taken over.
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {{ write?: (text: string) => void, timeoutMs?: number }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(path, work, { write = () => {}, timeoutMs = STALE_AFTER_MS } = {}) {
  const deadlineMs = performance.now() + timeoutMs
  let told = false
  while (!tryTake(path)) {
    if (isStale(path)) {
      rmSync(path, { force: true })
      continue
    }
    if (!told) write('setup: another set-up is at work in this folder; waiting for it\n')
    told = true
    if (performance.now() > deadlineMs) {
      throw new SetupError(`another set-up has held ${path} for too long; if none is running, delete that file`)
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  const release = () => rmSync(path, { force: true })
  const onSignal = () => {
    release()
    process.exit(130)
  }
  process.once('exit', release)
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  try {
    return await work()
  } finally {
    process.removeListener('exit', release)
    process.removeListener('SIGINT', onSignal)
    process.removeListener('SIGTERM', onSignal)
    release()
  }
}

function tryTake(path) {
  try {
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname() }), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function isStale(path) {
  try {
    if (Date.now() - statSync(path).mtimeMs > STALE_AFTER_MS) return true
    const holder = JSON.parse(readFileSync(path, 'utf8'))
    return holder.host === hostname() && !isAlive(holder.pid)
  } catch {
    // Released meanwhile, or its holder is still writing it: ask again.
    return false
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
