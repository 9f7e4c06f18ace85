import type { Tone } from './terminal/text.js'
import type { Note } from './terminal/view.js'

const notesMax = 500

/** What happened in the fleet, for people to read. Bounded: the oldest go, but are counted. */
export class Notes {
  readonly #now: () => number
  readonly #onNote: (note: Note) => void
  #notes: ReadonlyArray<Note> = []
  #total = 0

  constructor(now: () => number, onNote: (note: Note) => void) {
    this.#now = now
    this.#onNote = onNote
  }

  add(text: string, tone: Tone = 'plain'): void {
    const note = { at: this.#now(), text, tone }
    this.#notes = [...this.#notes, note].slice(-notesMax)
    this.#total += 1
    this.#onNote(note)
  }

  all(): ReadonlyArray<Note> {
    return this.#notes
  }

  /** How many there have been, with those that have gone. */
  get total(): number {
    return this.#total
  }
}
