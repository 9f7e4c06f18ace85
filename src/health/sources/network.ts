import { readKernelFile, type ReadKernelFile } from './kernelFile.js'

export interface NetworkRates {
  readonly rxBytesPerS: number | null
  readonly txBytesPerS: number | null
  readonly errorsPerS: number | null
}

interface Counters {
  readonly rxBytes: number
  readonly txBytes: number
  readonly errors: number
}

const unknownRates: NetworkRates = { rxBytesPerS: null, txBytesPerS: null, errorsPerS: null }

/** Counters of /proc/net/dev by interface, without the loopback. Errors are errors and drops, both ways. */
export const parseNetworkCounters = (text: string): ReadonlyMap<string, Counters> => {
  const counters = new Map<string, Counters>()
  for (const line of text.split('\n').slice(2)) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim()
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number)
    const [rxBytes, , rxErrors = 0, rxDrops = 0, , , , , txBytes, , txErrors = 0, txDrops = 0] = fields
    if (colon < 1 || name === 'lo' || rxBytes === undefined || txBytes === undefined) continue
    counters.set(name, { rxBytes, txBytes, errors: rxErrors + rxDrops + txErrors + txDrops })
  }
  return counters
}

/** A counter that went back was reset: what it shows now is what was counted since. */
const grownBy = (before: number, after: number): number => (after >= before ? after - before : after)

/** Traffic of the machine since the call before; all null where there is no /proc/net/dev. */
export const createNetworkSource = (read: ReadKernelFile = readKernelFile): ((elapsedMs: number) => NetworkRates) => {
  const look = (): ReadonlyMap<string, Counters> | null => {
    const text = read('/proc/net/dev')
    return text === null ? null : parseNetworkCounters(text)
  }
  let before = look()
  return (elapsedMs) => {
    const after = look()
    const earlier = before
    before = after
    if (after === null || earlier === null || !(elapsedMs > 0)) return unknownRates
    let rx = 0
    let tx = 0
    let errors = 0
    for (const [name, now] of after) {
      const then = earlier.get(name)
      // An interface that has just come up counts from its own beginning.
      if (then === undefined) continue
      rx += grownBy(then.rxBytes, now.rxBytes)
      tx += grownBy(then.txBytes, now.txBytes)
      errors += grownBy(then.errors, now.errors)
    }
    const perS = (amount: number): number => (amount * 1000) / elapsedMs
    return { rxBytesPerS: perS(rx), txBytesPerS: perS(tx), errorsPerS: perS(errors) }
  }
}
