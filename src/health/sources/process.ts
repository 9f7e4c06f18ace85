export interface ProcessUse {
  /** Cores in use by all threads of this process, 1 = one whole core. */
  readonly cpuCores: number
  readonly residentBytes: number
}

export interface ProcessCounters {
  /** User and system time since the start, in microseconds. */
  readonly cpuUs: number
  readonly residentBytes: number
}

const readProcess = (): ProcessCounters => {
  const { user, system } = process.cpuUsage()
  return { cpuUs: user + system, residentBytes: process.memoryUsage.rss() }
}

/** What this process alone uses; children (encoders) are not counted. */
export const createProcessSource = (read: () => ProcessCounters = readProcess): ((elapsedMs: number) => ProcessUse) => {
  let before = read()
  return (elapsedMs) => {
    const after = read()
    const cpuUs = after.cpuUs - before.cpuUs
    before = after
    return { cpuCores: elapsedMs > 0 && cpuUs > 0 ? cpuUs / 1000 / elapsedMs : 0, residentBytes: after.residentBytes }
  }
}
