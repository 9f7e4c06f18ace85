import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { lockFile } from '../../events/stores/sqlite/lockFile.js'
import { RetentionRefused } from './errors.js'

/**
 * Works on a folder of archives alone.
 * @throws RetentionRefused when another run holds it; the message says which.
 */
export async function withFolderLock<T>(dir: string, now: () => number, work: () => Promise<T>): Promise<T> {
  const lock = await lockFile(join(dir, 'retention.lock'), now)
  if (E.isLeft(lock)) throw new RetentionRefused(`${lock.left.holder} is archiving to ${dir}: wait until it is done`)
  try {
    return await work()
  } finally {
    lock.right.release()
  }
}
