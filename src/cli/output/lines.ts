import { once } from 'node:events'
import type { CommandContext } from '../context.js'

/** Writes lines to standard output as fast as its reader takes them, until that one has gone away. */
export class Lines {
  readonly #stdout: CommandContext['stdout']
  #isClosed = false
  #pending = ''
  readonly #onGone = (): void => {
    this.#isClosed = true
  }

  constructor({ stdout }: CommandContext) {
    this.#stdout = stdout
    if (isStream(stdout)) stdout.on('error', this.#onGone)
  }

  /** Nobody reads any more (`segue events | head`): there is no point in going on. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  async write(line: string): Promise<void> {
    this.#pending += `${line}\n`
    if (this.#pending.length > 16_384) await this.flush()
  }

  async flush(): Promise<void> {
    const text = this.#pending
    this.#pending = ''
    if (text === '' || this.#isClosed) return
    const taken = this.#stdout.write(text)
    if (taken === false && isStream(this.#stdout)) await this.#untilTaken(this.#stdout)
  }

  async #untilTaken(stdout: NodeJS.WriteStream): Promise<void> {
    const waiting = new AbortController()
    const { signal } = waiting
    try {
      await Promise.race([
        once(stdout, 'drain', { signal }),
        once(stdout, 'close', { signal }).then(() => this.#onGone()),
      ])
    } catch {
      this.#onGone()
    } finally {
      waiting.abort()
    }
  }
}

const isStream = (output: unknown): output is NodeJS.WriteStream =>
  typeof output === 'object' && output !== null && 'once' in output && 'on' in output
