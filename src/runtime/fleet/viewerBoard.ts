import type { ViewerTotals } from '../../events/index.js'
import type { ViewerReport } from '../process/supervision.js'

/** What all viewers of the fleet have measured, also those whose process has ended. */
export class ViewerBoard {
  readonly #present = new Map<string, ReadonlyArray<ViewerReport>>()
  #past: ReadonlyArray<ViewerReport> = []

  /** The newest reports of one watch process. */
  report(role: string, reports: ReadonlyArray<ViewerReport>): void {
    this.#present.set(role, reports)
  }

  /** The process has ended: what its viewers had measured until then stays counted. */
  ended(role: string): void {
    const reports = this.#present.get(role) ?? []
    this.#past = [...this.#past, ...reports.filter((report) => report.playing)]
    this.#present.delete(role)
  }

  present(): ReadonlyArray<ViewerReport> {
    return [...this.#present.values()].flat()
  }

  get isPlaying(): boolean {
    return this.#past.length > 0 || this.present().some((report) => report.playing)
  }

  totals(): ReadonlyArray<ViewerTotals> {
    return [...this.#past, ...this.present()].map((report) => report.totals)
  }
}
