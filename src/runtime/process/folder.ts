import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorMessage, systemErrorCode } from '../systemError.js'

/** A folder that was asked for cannot be made. */
export class FolderUnusable extends Error {
  readonly _tag = 'FolderUnusable'
}

/**
 * Makes a folder and those above it. Not by mkdir's own recursion: where nothing can be made, such as below /proc, that
 * tries for ever. @throws FolderUnusable
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeWithParents(path)
  } catch (error) {
    throw new FolderUnusable(
      `cannot make the folder ${path} (${errorMessage(error)}); choose another one or give this user the right to write there`,
      { cause: error },
    )
  }
}

async function makeWithParents(path: string): Promise<void> {
  if (await isFolder(path)) return
  const parent = dirname(path)
  if (parent !== path) await makeWithParents(parent)
  try {
    await mkdir(path)
  } catch (error) {
    // Another process may have been faster.
    if (systemErrorCode(error) !== 'EEXIST' || !(await isFolder(path))) throw error
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
