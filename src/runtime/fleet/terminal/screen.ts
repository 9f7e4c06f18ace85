/** The part of a terminal that is drawn on. */
export interface TerminalOutput {
  readonly write: (text: string) => unknown
  readonly columns?: number
  readonly rows?: number
}

const escape = '\u001b['
const hideCursor = `${escape}?25l`
const showCursor = `${escape}?25h`
const home = `${escape}H`
const clearToEndOfLine = `${escape}K`
const clearBelow = `${escape}J`
const enterOther = `${escape}?1049h`
const leaveOther = `${escape}?1049l`

/**
 * Draws pictures of lines over one another, without flicker: each goes out in one write that overwrites the one before
 * and never clears the screen. On a screen of its own, so that what was there before comes back at the end.
 */
export class Screen {
  readonly #output: TerminalOutput
  #isOpen = false
  #last = ''

  constructor(output: TerminalOutput) {
    this.#output = output
  }

  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#output.columns ?? 80, rows: this.#output.rows ?? 24 }
  }

  draw(lines: ReadonlyArray<string>): void {
    if (!this.#isOpen) {
      this.#isOpen = true
      this.#output.write(enterOther + hideCursor)
    }
    const picture = home + lines.map((line) => line + clearToEndOfLine).join('\r\n') + clearBelow
    if (picture === this.#last) return
    this.#last = picture
    this.#output.write(picture)
  }

  /** Gives the terminal back as it was. Safe to call again, and when nothing was drawn. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#output.write(showCursor + leaveOther)
  }
}
