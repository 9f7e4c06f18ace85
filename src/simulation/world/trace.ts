import { createHash } from 'node:crypto'

const linesMax = 200_000

/** What happened in a world, line by line, with a hash over all of it. */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #lines: string[] = []

  note(atMs: number, text: string): void {
    const line = `${(atMs / 1_000).toFixed(3).padStart(9)} ${text}`
    this.#hash.update(line).update('\n')
    if (this.#lines.length < linesMax) this.#lines.push(line)
  }

  get lines(): ReadonlyArray<string> {
    return this.#lines
  }

  /** SHA-256 in hex. */
  hash(): string {
    return this.#hash.copy().digest('hex')
  }
}
