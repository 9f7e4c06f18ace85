import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'

/**
 * Writes the whole of a text, in as many turns as the system takes for it: on a disk that fills up it may take a part, and
 * fails at the next turn. Throws the system's errors.
 */
export function writeAll(
  file: number,
  text: string,
  write: (file: number, bytes: Uint8Array) => number = writeSync,
): void {
  for (let rest: Uint8Array = Buffer.from(text); rest.length > 0;) rest = rest.subarray(write(file, rest))
}

/** Waits until what was written to a file, or named in a folder, outlives a crash of the machine. */
export function flushToDisk(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
