/** One life of a media server's process. */
export interface Life {
  readonly server: string
  readonly pid: number
  readonly startedAt: number
  /** When its process ended without having been asked to; null while it lives, and for an orderly end. */
  readonly diedAt: number | null
  /** Such as `SIGKILL` or `exit code 1`. */
  readonly end: string | null
}

/** When the media servers' processes really lived and died, as their parent saw it. */
export class Lives {
  readonly #lives: Life[] = []

  began(server: string, pid: number, startedAt: number): void {
    this.#lives.push({ server, pid, startedAt, diedAt: null, end: null })
  }

  died(pid: number, diedAt: number, end: string): void {
    const index = this.#lives.findLastIndex((life) => life.pid === pid)
    const life = this.#lives[index]
    if (life !== undefined) this.#lives[index] = { ...life, diedAt, end }
  }

  all(): ReadonlyArray<Life> {
    return this.#lives
  }
}

/** The life that a server was in at a moment: the newest that had begun. It may have ended a little before. */
export const lifeAt = (lives: ReadonlyArray<Life>, server: string, at: number): Life | undefined =>
  lives.filter((life) => life.server === server && life.startedAt <= at).at(-1)
