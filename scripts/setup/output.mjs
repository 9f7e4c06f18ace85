/** Thrown when setup cannot go on; the message is all that the user needs to see. */
export class SetupError extends Error {}

/** @typedef {(text: string) => void} Write */

/**
 * Prints one line per thing done: what is being done at once, and how it ended when it has.
 * @template T
 * @param {Write} write
 * @param {string} what
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(write, what, work) {
  const startedAtMs = performance.now()
  write(`setup: ${what} ... `)
  try {
    const result = await work()
    write(`done (${((performance.now() - startedAtMs) / 1000).toFixed(1)} s)\n`)
    return result
  } catch (error) {
    write('failed\n')
    throw error
  }
}
