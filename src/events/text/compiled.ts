/**
 * A function made of source text; null where code may not be made of text (`--disallow-code-generation-from-strings`).
 * What the source is made of here are names and tests of our own codecs, and names from values that conformed to them, all
 * of them quoted.
 *
 * @param given what the source refers to by name
 * @param body returns the function
 */
export function compiled<F>(given: Readonly<Record<string, unknown>>, body: string): F | null {
  try {
    const make = new Function(...Object.keys(given), `'use strict'\n${body}`) as (...parts: unknown[]) => F
    return make(...Object.values(given))
  } catch (error) {
    if (error instanceof EvalError) return null
    throw error
  }
}
