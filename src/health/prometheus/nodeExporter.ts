import { finiteOrNull, ratioOrNull, roundedOrNull } from '../finite.js'
import type { HostReadings } from '../hostSource.js'
import { readMetrics, type Metric } from './exposition.js'

const cpu = 'node_cpu_seconds_total'
const diskBusy = 'node_disk_io_time_seconds_total'
const diskTimes = ['node_disk_read_time_seconds_total', 'node_disk_write_time_seconds_total']
const diskRequests = ['node_disk_reads_completed_total', 'node_disk_writes_completed_total']
const received = 'node_network_receive_bytes_total'
const sent = 'node_network_transmit_bytes_total'
const networkErrors = [
  'node_network_receive_errs_total',
  'node_network_receive_drop_total',
  'node_network_transmit_errs_total',
  'node_network_transmit_drop_total',
]
const load1 = 'node_load1'
const memoryTotal = 'node_memory_MemTotal_bytes'
const memoryAvailable = 'node_memory_MemAvailable_bytes'
const bootTime = 'node_boot_time_seconds'

const wanted: ReadonlySet<string> = new Set([
  ...[cpu, diskBusy, ...diskTimes, ...diskRequests, received, sent, ...networkErrors],
  ...[load1, memoryTotal, memoryAvailable, bootTime],
])

/** CPU modes in which no work is done. Waiting for a disk is shown by the disk's own readings. */
const idleModes = ['idle', 'iowait']

/** What one scrape of node_exporter says of its machine: levels, and counters by what they count. */
export interface NodeScrape {
  readonly cores: number
  readonly load1: number | null
  readonly memoryRatio: number | null
  readonly bootTimeS: number | null
  /** Seconds by core, and by core those without work. */
  readonly cpu: ReadonlyMap<string, { readonly totalS: number; readonly idleS: number }>
  readonly disks: ReadonlyMap<string, { readonly busyS: number; readonly timeS: number; readonly requests: number }>
  readonly network: ReadonlyMap<string, { readonly rx: number; readonly tx: number; readonly errors: number }>
}

/** Null when the text holds no CPU time of a node: it is another program's. */
export function readNodeScrape(text: string): NodeScrape | null {
  const metrics = readMetrics(text, wanted)
  const of = (name: string): ReadonlyArray<Metric> => metrics.get(name) ?? []
  const level = (name: string): number | null => of(name)[0]?.value ?? null
  const sums = (names: ReadonlyArray<string>): ReadonlyMap<string, number> => {
    const byDevice = new Map<string, number>()
    for (const { labels, value } of names.flatMap(of)) {
      const device = labels.device ?? ''
      if (device !== 'lo') byDevice.set(device, (byDevice.get(device) ?? 0) + value)
    }
    return byDevice
  }
  const cores = new Map<string, { totalS: number; idleS: number }>()
  for (const { labels, value } of of(cpu)) {
    const core = cores.get(labels.cpu ?? '') ?? { totalS: 0, idleS: 0 }
    core.totalS += value
    if (idleModes.includes(labels.mode ?? '')) core.idleS += value
    cores.set(labels.cpu ?? '', core)
  }
  if (cores.size === 0) return null
  const [times, requests, busy] = [sums(diskTimes), sums(diskRequests), sums([diskBusy])]
  const [rx, tx, errors] = [sums([received]), sums([sent]), sums(networkErrors)]
  const [total, available] = [level(memoryTotal), level(memoryAvailable)]
  return {
    cores: cores.size,
    load1: level(load1),
    memoryRatio: total !== null && available !== null && total > 0 ? 1 - available / total : null,
    bootTimeS: level(bootTime),
    cpu: cores,
    disks: byName(busy, (device, busyS) => ({
      busyS,
      timeS: times.get(device) ?? 0,
      requests: requests.get(device) ?? 0,
    })),
    network: byName(rx, (device, bytes) => ({
      rx: bytes,
      tx: tx.get(device) ?? 0,
      errors: errors.get(device) ?? 0,
    })),
  }
}

const byName = <T>(keys: ReadonlyMap<string, number>, of: (name: string, value: number) => T): ReadonlyMap<string, T> =>
  new Map([...keys].map(([name, value]) => [name, of(name, value)]))

/**
 * Readings between two scrapes that were `elapsedMs` apart. What needs a difference is null when the machine has booted
 * in between or a counter went back; a device that has just appeared counts from its second scrape on.
 */
export function readingsBetween(before: NodeScrape | null, after: NodeScrape, elapsedMs: number): HostReadings {
  const comparable = before !== null && elapsedMs > 0 && before.bootTimeS === after.bootTimeS
  const earlier = comparable ? before : null
  const traffic = grown(earlier?.network, after.network, ['rx', 'tx', 'errors'])
  const perS = (amount: number | undefined): number | null =>
    traffic === null || amount === undefined ? null : (amount * 1_000) / elapsedMs
  return {
    cpuRatio: roundedOrNull(cpuRatio(earlier, after), 4),
    load1: roundedOrNull(finiteOrNull(after.load1), 2),
    cores: after.cores,
    memoryRatio: roundedOrNull(ratioOrNull(after.memoryRatio), 4),
    ...diskReadings(earlier, after, elapsedMs),
    networkRxBytesPerS: roundedOrNull(perS(traffic?.rx), 0),
    networkTxBytesPerS: roundedOrNull(perS(traffic?.tx), 0),
    networkErrorsPerS: roundedOrNull(perS(traffic?.errors), 2),
  }
}

function cpuRatio(before: NodeScrape | null, after: NodeScrape): number | null {
  const used = grown(before?.cpu, after.cpu, ['totalS', 'idleS'])
  return used === null || used.totalS <= 0 ? null : ratioOrNull(1 - used.idleS / used.totalS)
}

/** The busiest disk, and the mean time of a request over all of them; null latency when there was none. */
function diskReadings(
  before: NodeScrape | null,
  after: NodeScrape,
  elapsedMs: number,
): Pick<HostReadings, 'diskBusyRatio' | 'diskLatencyMs'> {
  const all = grown(before?.disks, after.disks, ['timeS', 'requests'])
  let busiest: number | null = null
  for (const [name, disk] of after.disks) {
    const former = before?.disks.get(name)
    if (former === undefined || disk.busyS < former.busyS) continue
    busiest = Math.max(busiest ?? 0, ((disk.busyS - former.busyS) * 1_000) / elapsedMs)
  }
  return {
    diskBusyRatio: roundedOrNull(ratioOrNull(busiest), 4),
    diskLatencyMs: all === null || all.requests <= 0 ? null : roundedOrNull((all.timeS * 1_000) / all.requests, 2),
  }
}

/** By how much counters grew, summed over the devices that both scrapes have; null without any, or when one went back. */
function grown<K extends string>(
  before: ReadonlyMap<string, Readonly<Record<K, number>>> | undefined,
  after: ReadonlyMap<string, Readonly<Record<K, number>>>,
  keys: ReadonlyArray<K>,
): Readonly<Record<K, number>> | null {
  const sums = Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>
  let compared = 0
  for (const [name, now] of after) {
    const then = before?.get(name)
    if (then === undefined) continue
    // The kernel's idle counters may step back by a tick when a core sleeps.
    if (keys.some((key) => now[key] < then[key] - 0.1)) return null
    for (const key of keys) sums[key] += Math.max(0, now[key] - then[key])
    compared += 1
  }
  return compared === 0 ? null : sums
}
