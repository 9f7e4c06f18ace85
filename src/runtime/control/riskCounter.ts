import type { RiskDistribution } from '../../events/index.js'
import { riskBinCount, riskBinOf } from '../../model/index.js'

/** A day, so that a daily rhythm is no drift. */
const windowMsDefault = 86_400_000
/** A window with fewer samples goes on. */
const samplesMin = 1_000

/** Counts the risks that a model tells of all servers, window by window. What was counted before a restart is forgotten. */
export class RiskCounter {
  readonly #windowMs: number
  #artifact = ''
  #from = 0
  #samples = 0
  #counts = new Uint32Array(riskBinCount)

  constructor(windowMs = windowMsDefault) {
    this.#windowMs = windowMs
  }

  /** Takes a risk in; answers the distribution when a window is over with it. */
  count(
    artifact: string,
    risk: number,
    now: number,
  ): { readonly artifact: string; readonly distribution: RiskDistribution } | null {
    if (artifact !== this.#artifact) this.#begin(artifact, now)
    this.#samples += 1
    const bin = riskBinOf(risk)
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1
    if (now - this.#from < this.#windowMs || this.#samples < samplesMin) return null
    const samples = this.#samples
    const shares = Array.from(this.#counts, (count) => Math.round((10_000 * count) / samples) / 10_000)
    const distribution = { from: this.#from, until: now, samples, shares }
    this.#begin(artifact, now)
    return { artifact, distribution }
  }

  #begin(artifact: string, now: number): void {
    this.#artifact = artifact
    this.#from = now
    this.#samples = 0
    this.#counts = new Uint32Array(riskBinCount)
  }
}
