import { makeFolder as makeMissing } from '../../events/stores/folder.js'
import { errorMessage } from '../systemError.js'

/** A folder that was asked for cannot be made. */
export class FolderUnusable extends Error {
  readonly _tag = 'FolderUnusable'
}

/**
 * Makes a folder that a person named, and those above it.
 * @throws FolderUnusable
 */
export async function makeFolder(path: string): Promise<void> {
  await Promise.resolve(path)
    .then(makeMissing)
    .catch((error: unknown) => {
      throw new FolderUnusable(
        `cannot make the folder ${path} (${errorMessage(error)}); choose another one or give this user the right to write there`,
        { cause: error },
      )
    })
}
