import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../events/stores/folder.js'
import { doneName, fileName, fileNumbers, firstNumber } from './fifo.js'

/**
 * Moves all messages of a fifo's folder in front of those of another one. Neither may be open. Files are renamed, so it
 * needs no space. After a crash in the midst nothing is lost; some messages may come out that were removed already.
 */
export async function moveInFront(from: string, to: string): Promise<void> {
  const numbers = fileNumbers(await readdir(from).catch(() => []))
  if (numbers.length === 0) return
  makeFolder(to)
  let [next = firstNumber + 1] = fileNumbers(await readdir(to))
  // The last one first: what a crash leaves behind belongs before what was moved.
  for (const number of numbers.reverse()) {
    next -= 1
    const done = await readFile(join(from, doneName(number)), 'utf8').catch(() => undefined)
    await rm(join(from, doneName(number)), { force: true })
    await rename(join(from, fileName(number)), join(to, fileName(next)))
    if (done !== undefined) await writeFile(join(to, doneName(next)), done)
  }
}
