import { cpus } from 'node:os'
import { ratioOrNull } from '../finite.js'

export interface CpuTimes {
  readonly busyMs: number
  readonly totalMs: number
}

/** Sum over all cores since boot. */
const readCpuTimes = (): CpuTimes => {
  let busyMs = 0
  let totalMs = 0
  for (const { times } of cpus()) {
    const working = times.user + times.nice + times.sys + times.irq
    busyMs += working
    totalMs += working + times.idle
  }
  return { busyMs, totalMs }
}

/** Share of the machine's CPU time in use since the call before, 0..1; null when no time was counted. */
export const createHostCpuSource = (read: () => CpuTimes = readCpuTimes): (() => number | null) => {
  let before = read()
  return () => {
    const after = read()
    const totalMs = after.totalMs - before.totalMs
    const busyMs = after.busyMs - before.busyMs
    before = after
    // The kernel's counters can step back by a tick, and all at once when a core is taken offline.
    return totalMs > 0 && busyMs >= 0 ? ratioOrNull(busyMs / totalMs) : null
  }
}
