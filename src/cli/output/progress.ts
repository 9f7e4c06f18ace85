import type { CommandContext } from '../context.js'

const drawEveryMs = 100
const barColumns = 30

/** One line on a terminal that shows how far something is; nothing where standard error is not a terminal. */
export class ProgressLine {
  readonly #stderr: CommandContext['stderr']
  readonly #what: string
  readonly #isShown: boolean
  #drawnAtMs = 0
  #drawn = false

  constructor({ stderr }: CommandContext, what: string) {
    this.#stderr = stderr
    this.#what = what
    this.#isShown = stderr.isTTY === true
  }

  /** @param done share that is done, 0 to 1; null: not known. */
  show(done: number | null, detail: string): void {
    const now = performance.now()
    if (!this.#isShown || now - this.#drawnAtMs < drawEveryMs) return
    this.#drawnAtMs = now
    this.#drawn = true
    this.#stderr.write(`\r\u001b[K${progressText(this.#what, done, detail)}`)
  }

  end(): void {
    if (this.#drawn) this.#stderr.write('\r\u001b[K')
  }
}

export function progressText(what: string, done: number | null, detail: string): string {
  if (done === null) return `${what}: ${detail}`
  const share = Math.min(1, Math.max(0, done))
  const full = Math.round(share * barColumns)
  return `${what} ${'█'.repeat(full)}${'░'.repeat(barColumns - full)} ${Math.floor(share * 100)} %  ${detail}`
}
