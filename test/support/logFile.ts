import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main } from '../../src/cli/main.js'
import type { EventStore } from '../../src/events/index.js'
import { openSqliteStore } from '../../src/events/stores/sqlite/index.js'
import { appendAll, smallRecording } from './smallLog.js'

export interface LogFile {
  readonly folder: string
  /** The data folder of the log. */
  readonly data: string
  readonly run: (...argv: ReadonlyArray<string>) => Promise<CommandRun>
  readonly remove: () => Promise<void>
}

export interface CommandRun {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** A small log in a file, as a control plane leaves it behind, and commands to be run on it. */
export const smallLogFile = (recording = smallRecording()): Promise<LogFile> =>
  logFileOf((store) => appendAll(store, recording))

/** A log in a file that holds what `write` appends, and commands to be run on it. */
export async function logFileOf(write: (store: EventStore) => Promise<void>): Promise<LogFile> {
  const folder = await mkdtemp(join(tmpdir(), 'segue-log-'))
  const data = join(folder, 'data')
  const store = await openSqliteStore({ path: join(data, 'events.sqlite') })
  await write(store)
  await store.close()
  const run = async (...argv: ReadonlyArray<string>): Promise<CommandRun> => {
    let [stdout, stderr] = ['', '']
    const where = argv.includes('--store') ? [] : ['--data', data]
    const status = await main([...argv, ...where], {
      env: { XDG_DATA_HOME: folder },
      stdout: { write: (text) => (stdout += text), columns: 120 },
      stderr: { write: (text) => (stderr += text) },
    })
    return { status, stdout, stderr }
  }
  return { folder, data, run, remove: () => rm(folder, { recursive: true }) }
}
