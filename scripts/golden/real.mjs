// Histories of real fleets: processes, encoders, NATS and SQLite.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const realHistories = [
  { name: 'real-leak', what: 'a real fleet: prediction', args: ['--fault', 'leak@6', '--duration', '40'] },
  {
    name: 'real-crash',
    what: 'a real fleet: failure',
    args: ['--fault', 'crash@6', '--standby', 'hot', '--duration', '20'],
  },
]

/** Runs `segue up` and hands back the events of its log. */
export async function runReal({ args }, { root, port, readLog, keepModels }) {
  const data = await mkdtemp(join(tmpdir(), 'segue-golden-'))
  try {
    const command = [join(root, 'bin', 'segue.mjs'), 'up', '--json', '--port', String(port), '--data', data, ...args]
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] })
    const status = await new Promise((resolve) => child.once('close', resolve))
    if (status !== 0) throw new Error(`segue up ended with status ${status}`)
    await keepModels(data)
    return await readLog(data)
  } finally {
    await rm(data, { recursive: true, force: true })
  }
}
