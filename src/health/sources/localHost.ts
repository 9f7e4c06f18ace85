import { availableParallelism, loadavg } from 'node:os'
import { finiteOrNull, roundedOrNull } from '../finite.js'
import type { HostSource } from '../hostSource.js'
import { createDiskBusySource } from './diskBusy.js'
import { createDiskLatencySource } from './diskLatency.js'
import { createHostCpuSource } from './hostCpu.js'
import { readHostMemoryRatio } from './hostMemory.js'
import { createNetworkSource } from './network.js'

export interface LocalHostOptions {
  /** Where the disk's latency is measured with one 4 KiB write per look; null: not measured. */
  readonly diskDir: string | null
  /** Part of the name of the file that is written. */
  readonly name: string
  readonly monotonicMs: () => number
}

/** Readings of the machine that this process runs on. */
export const createLocalHostSource = ({ diskDir, name, monotonicMs }: LocalHostOptions): HostSource => {
  const hostCpu = createHostCpuSource()
  const network = createNetworkSource()
  const diskBusy = createDiskBusySource(diskDir)
  const diskLatency = createDiskLatencySource({ dir: diskDir, name, monotonicMs })
  // The first write only opens the file, so that the first sample has a latency already.
  diskLatency.take()
  return {
    take: (elapsedMs) => {
      const rates = network(elapsedMs)
      return {
        cpuRatio: roundedOrNull(hostCpu(), 4),
        load1: process.platform === 'win32' ? null : roundedOrNull(finiteOrNull(loadavg()[0]), 2),
        cores: availableParallelism(),
        memoryRatio: roundedOrNull(readHostMemoryRatio(), 4),
        diskLatencyMs: roundedOrNull(finiteOrNull(diskLatency.take()), 2),
        diskBusyRatio: roundedOrNull(diskBusy(elapsedMs), 4),
        networkRxBytesPerS: roundedOrNull(finiteOrNull(rates.rxBytesPerS), 0),
        networkTxBytesPerS: roundedOrNull(finiteOrNull(rates.txBytesPerS), 0),
        networkErrorsPerS: roundedOrNull(finiteOrNull(rates.errorsPerS), 2),
      }
    },
    close: () => diskLatency.close(),
  }
}
