import { readFileSync } from 'node:fs'

/**
 * Reads a file of /proc or /sys; null where it does not exist. Reading synchronously is right here: the kernel makes
 * the text in memory, and no disk can hold up the main thread.
 */
export const readKernelFile = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

export type ReadKernelFile = (path: string) => string | null
