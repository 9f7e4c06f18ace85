import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { makeFolder } from '../events/stores/folder.js'
import { errorMessage, systemErrorCode } from './systemError.js'

/** A folder for data could not be made; `code` is the system's, such as EACCES or ENOSPC. */
export interface DataDirectoryError {
  readonly _tag: 'DataDirectoryError'
  readonly path: string
  readonly code: string
  readonly message: string
}

export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv
  readonly platform?: NodeJS.Platform
  readonly home?: string
}

/**
 * Where Segue keeps data when it is not told: `$XDG_DATA_HOME/segue` (XDG Base Directory Specification 0.8; relative
 * values are ignored, as it demands), `~/.local/share/segue`, or `~/Library/Application Support/segue` on macOS.
 */
export function defaultDataRoot(surroundings: Surroundings = {}): string {
  const { env = process.env, platform = process.platform, home = homedir() } = surroundings
  const xdgDataHome = env.XDG_DATA_HOME
  if (xdgDataHome?.startsWith('/')) return join(xdgDataHome, 'segue')
  return platform === 'darwin'
    ? join(home, 'Library', 'Application Support', 'segue')
    : join(home, '.local', 'share', 'segue')
}

/** The log's file in a data folder, where no other store was asked for. */
export const storePathIn = (dataDir: string): string => join(dataDir, 'events.sqlite')

/** The newest run below the data root that has a log; undefined when there is none. Names of runs sort by time. */
export async function newestRun(root: string): Promise<string | undefined> {
  const runs = join(root, 'runs')
  const names = await readdir(runs).catch(() => [])
  return names
    .toSorted()
    .map((name) => join(runs, name))
    .findLast((run) => existsSync(storePathIn(run)))
}

const sameSecondRunsMax = 100

/**
 * Makes a new folder for one run, `<root>/runs/2026-11-22T17-30-05Z`, and answers its path. Names sort by time; a second
 * run within the same second gets `-2` after its name.
 */
export function createRunDirectory(root: string, now: Date): TaskEither<DataDirectoryError, string> {
  return async () => {
    const runs = join(root, 'runs')
    // Without colons: some tools and file systems take them for something else.
    const name = now
      .toISOString()
      .replace(/\.\d+Z$/, 'Z')
      .replaceAll(':', '-')
    try {
      makeFolder(runs)
      return E.right(await makeFirstFree(join(runs, name)))
    } catch (error) {
      return E.left(dataDirectoryError(runs, error))
    }
  }
}

async function makeFirstFree(path: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt === 1 ? path : `${path}-${attempt}`
    try {
      await mkdir(candidate)
      return candidate
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST' || attempt === sameSecondRunsMax) throw error
    }
  }
}

function dataDirectoryError(path: string, error: unknown): DataDirectoryError {
  const code = systemErrorCode(error) ?? 'UNKNOWN'
  const why = errorMessage(error)
  const message = `cannot make a folder in ${path} (${why}); choose another data folder or give this user the right to write there`
  return { _tag: 'DataDirectoryError', path, code, message }
}
