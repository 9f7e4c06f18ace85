import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDiskBusySource, deviceNumbers, parseDiskBusyMs } from '../../src/health/sources/diskBusy.js'
import { createDiskLatencySource } from '../../src/health/sources/diskLatency.js'
import { createHostCpuSource } from '../../src/health/sources/hostCpu.js'
import { readHostMemoryRatio } from '../../src/health/sources/hostMemory.js'
import { effectiveMemoryLimit, readCgroupMemoryLimit } from '../../src/health/sources/memoryLimit.js'
import { createNetworkSource } from '../../src/health/sources/network.js'
import { createProcessSource } from '../../src/health/sources/process.js'
import { waitFor } from '../support/waitFor.js'

const inTurn = <T>(...values: ReadonlyArray<T>): (() => T) => {
  let next = 0
  return () => {
    const value = values[next]
    next += 1
    if (value === undefined) throw new Error('read more often than expected')
    return value
  }
}

describe('processor of the machine', () => {
  it('is the share of time in use between two looks', () => {
    const ratio = createHostCpuSource(
      inTurn({ busyMs: 100, totalMs: 1_000 }, { busyMs: 150, totalMs: 1_200 }, { busyMs: 150, totalMs: 1_200 }),
    )
    expect(ratio()).toBe(0.25)
    expect(ratio()).toBeNull()
  })
})

describe('memory of the machine', () => {
  it('counts what the kernel would give back as available', () => {
    const meminfo = 'MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    750 kB\n'
    expect(readHostMemoryRatio(() => meminfo)).toBe(0.25)
  })

  it('falls back on free memory where there is no /proc', () => {
    const ratio = readHostMemoryRatio(() => null)
    expect(ratio).toBeGreaterThan(0)
    expect(ratio).toBeLessThan(1)
  })
})

describe('network of the machine', () => {
  const devFile = (rows: ReadonlyArray<string>): string =>
    ['Inter-| Receive', ' face |bytes', '    lo: 9999 9 9 9 0 0 0 0 9999 9 9 9 0 0 0 0', ...rows].join('\n')

  it('adds up the interfaces without the loopback, per second', () => {
    const rates = createNetworkSource(
      inTurn(
        devFile(['  eth0: 1000 1 0 0 0 0 0 0 500 1 0 0 0 0 0 0']),
        devFile(['  eth0: 3000 9 1 2 0 0 0 0 1500 9 3 4 0 0 0 0', '  eth1:100000 9 9 9 0 0 0 0 100000 9 9 9 0 0 0 0']),
      ),
    )
    expect(rates(2_000)).toEqual({ rxBytesPerS: 1_000, txBytesPerS: 500, errorsPerS: 5 })
  })

  it('counts from zero after a reset of the counters', () => {
    const rates = createNetworkSource(
      inTurn(
        devFile(['  eth0: 90000 1 7 0 0 0 0 0 90000 1 0 0 0 0 0 0']),
        devFile(['  eth0: 300 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0']),
      ),
    )
    expect(rates(1_000)).toEqual({ rxBytesPerS: 300, txBytesPerS: 100, errorsPerS: 0 })
  })

  it('is unknown where there is no /proc/net/dev', () => {
    expect(createNetworkSource(() => null)(1_000).rxBytesPerS).toBeNull()
  })
})

describe('disk', () => {
  const diskstats =
    '   8       0 sda 1 1 1 1 1 1 1 1 0 999 1\n 254       0 vda 50165 14962 5406818 45173 14123 33584 2212680 5276 0 7952 50893\n'

  it('finds the busy time of the device with its numbers', () => {
    expect(deviceNumbers(65_024)).toEqual({ major: 254, minor: 0 })
    expect(parseDiskBusyMs(diskstats, 254, 0)).toBe(7_952)
    expect(parseDiskBusyMs(diskstats, 9, 9)).toBeNull()
  })

  it('has no utilisation where the directory or the statistics do not exist', () => {
    expect(createDiskBusySource('/does/not/exist')(1_000)).toBeNull()
    expect(createDiskBusySource(tmpdir(), () => null)(1_000)).toBeNull()
  })

  describe('latency', () => {
    let dir: string
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'segue-disk-'))
    })
    afterEach(() => rmSync(dir, { recursive: true }))
    const sourceIn = (where: string | null): ReturnType<typeof createDiskLatencySource> =>
      createDiskLatencySource({ dir: where, name: 'a', monotonicMs: () => performance.now(), latencyMsMax: 150 })

    it('is that of a real write, and leaves no file behind', async () => {
      const source = sourceIn(dir)
      expect(source.take()).toBeNull()
      expect(await waitFor(() => source.take(), { describe: 'a latency' })).toBeGreaterThan(0)
      expect(readdirSync(dir)).toEqual([])
      source.close()
    })

    it('is the time so far while a write hangs, up to the bound, and no second write begins', async () => {
      // Opening a pipe that nobody reads hangs as a dead disk does.
      const pipe = join(dir, '.segue-disk-probe-a')
      execFileSync('mkfifo', [pipe])
      const source = sourceIn(dir)
      source.take()
      await waitFor(() => (source.take() ?? 0) > 50, { describe: 'a hanging write to show' })
      expect(await waitFor(() => source.take() === 150, { describe: 'the bound' })).toBe(true)
      const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
      await waitFor(() => source.take() !== 150, { describe: 'the disk to come back' })
      source.close()
      closeSync(reader)
    })

    it('is unknown without a directory, or with one that does not exist', async () => {
      expect(sourceIn(null).take()).toBeNull()
      const source = sourceIn(join(dir, 'missing'))
      source.take()
      await waitFor(() => source.take() === null, { describe: 'the failed write' })
      source.close()
    })
  })
})

describe('memory limit', () => {
  it('is the smallest one of the cgroup (version 2) and its parents', () => {
    const files: Record<string, string> = {
      '/proc/self/cgroup': '0::/pods/server\n',
      '/sys/fs/cgroup/pods/server/memory.max': 'max\n',
      '/sys/fs/cgroup/pods/memory.max': '500000\n',
      '/sys/fs/cgroup/memory.max': '900000\n',
    }
    expect(readCgroupMemoryLimit((path) => files[path] ?? null, 1e6)).toBe(500_000)
  })

  it('is understood in version 1, where no limit is a huge number', () => {
    const files: Record<string, string> = {
      '/proc/self/cgroup': '4:memory:/a/b\n1:cpu,cpuacct:/\n',
      '/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': '700000\n',
    }
    expect(readCgroupMemoryLimit((path) => files[path] ?? null, 1e6)).toBe(700_000)
    expect(readCgroupMemoryLimit(() => null, 1e6)).toBeNull()
  })

  it('is the smaller one of the configured and the found', () => {
    expect(effectiveMemoryLimit(5, 7)).toBe(5)
    expect(effectiveMemoryLimit(9, 7)).toBe(7)
    expect(effectiveMemoryLimit(null, 7)).toBe(7)
    expect(effectiveMemoryLimit(5, null)).toBe(5)
  })
})

describe('own process', () => {
  it('counts cores in use by processor time over elapsed time', () => {
    const use = createProcessSource(
      inTurn({ cpuUs: 1_000_000, residentBytes: 1 }, { cpuUs: 1_500_000, residentBytes: 80e6 }),
    )
    expect(use(1_000)).toEqual({ cpuCores: 0.5, residentBytes: 80e6 })
  })
})
