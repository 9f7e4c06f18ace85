import { readingsBetween, readNodeScrape, type NodeScrape } from '../../../src/health/prometheus/nodeExporter.js'

interface Machine {
  readonly bootTimeS?: number
  readonly busyS?: number
  readonly idleS?: number
  readonly rx?: number
  readonly writes?: number
  readonly writeS?: number
  readonly ioS?: number
}

const page = ({
  bootTimeS = 1e9,
  busyS = 10,
  idleS = 90,
  rx = 0,
  writes = 0,
  writeS = 0,
  ioS = 0,
}: Machine): string => `
# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu="0",mode="idle"} ${idleS}
node_cpu_seconds_total{cpu="0",mode="user"} ${busyS}
node_cpu_seconds_total{cpu="0",mode="iowait"} 0
node_boot_time_seconds ${bootTimeS}
node_load1 1.25
node_memory_MemTotal_bytes 2.5e+10
node_memory_MemAvailable_bytes 2e+10
node_disk_io_time_seconds_total{device="vda"} ${ioS}
node_disk_read_time_seconds_total{device="vda"} 0
node_disk_write_time_seconds_total{device="vda"} ${writeS}
node_disk_reads_completed_total{device="vda"} 0
node_disk_writes_completed_total{device="vda"} ${writes}
node_network_receive_bytes_total{device="lo"} 999999
node_network_receive_bytes_total{device="eth0"} ${rx}
node_network_transmit_bytes_total{device="eth0"} 0
node_network_receive_drop_total{device="eth0"} NaN
go_goroutines 7
`

const scrape = (machine: Machine): NodeScrape => {
  const found = readNodeScrape(page(machine))
  if (found === null) throw new Error('no scrape')
  return found
}

describe("node_exporter's readings", () => {
  it('gives levels at once and differences from the second scrape on', () => {
    expect(readingsBetween(null, scrape({}), 0)).toMatchObject({
      ...{ cores: 1, load1: 1.25, memoryRatio: 0.2 },
      ...{ cpuRatio: null, networkRxBytesPerS: null, diskBusyRatio: null, diskLatencyMs: null },
    })
  })

  it('compares two scrapes by the time between them', () => {
    const before = scrape({})
    const after = scrape({ busyS: 13, idleS: 91, rx: 4_000, writes: 8, writeS: 0.04, ioS: 1 })
    expect(readingsBetween(before, after, 2_000)).toMatchObject({
      ...{ cpuRatio: 0.75, networkRxBytesPerS: 2_000, networkTxBytesPerS: 0 },
      ...{ diskLatencyMs: 5, diskBusyRatio: 0.5 },
    })
  })

  it('compares nothing across a boot of the machine', () => {
    const after = scrape({ bootTimeS: 2e9, busyS: 1, idleS: 1, rx: 50 })
    expect(readingsBetween(scrape({ rx: 9_000 }), after, 1_000)).toMatchObject({
      ...{ cpuRatio: null, networkRxBytesPerS: null, diskBusyRatio: null },
    })
  })

  it('leaves out what belongs to a counter that went back', () => {
    const readings = readingsBetween(scrape({ rx: 9_000 }), scrape({ busyS: 11, idleS: 91, rx: 50 }), 1_000)
    expect(readings.networkRxBytesPerS).toBeNull()
    expect(readings.cpuRatio).toBe(0.5)
  })

  it('takes no other page for one of a node', () => {
    expect(readNodeScrape('<html>node_cpu_seconds_total</html>')).toBeNull()
    expect(readNodeScrape('process_cpu_seconds_total 4\n')).toBeNull()
  })
})
