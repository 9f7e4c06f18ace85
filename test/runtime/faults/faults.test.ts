import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '../../support/waitFor.js'
import { burnAt } from '../../../src/runtime/faults/cpu.js'
import { queueAt } from '../../../src/runtime/faults/disk.js'
import { enforceMemoryLimit, injectFault } from '../../../src/runtime/faults/index.js'
import { compileModules, startSubject, type CompiledModules, type Subject } from './subject/start.js'

const limitBytes = 200e6

describe('faults in a process of its own', () => {
  let modules: CompiledModules
  let subject: Subject | null = null
  beforeAll(() => {
    modules = compileModules()
  })
  afterEach(() => subject?.stop())
  afterAll(() => modules.remove())

  it('lets a leak grow at its rate until the memory limit kills the process', async () => {
    subject = startSubject(modules, {
      memoryLimitBytes: limitBytes,
      intervalMs: 200,
      fault: { type: 'leak', bytesPerS: 40e6 },
      faultAfterMs: 500,
    })
    await waitFor(() => subject?.exited(), { timeoutMs: 15_000, describe: 'the death of the process' })
    expect(subject.signal()).toBe('SIGKILL')
    const resident = subject.samples.map(({ process }) => process.residentBytes)
    // The last sample is at most 200 ms (8 MB) before the end, and a slow machine's stall before that.
    expect(Math.max(...resident)).toBeGreaterThan(0.75 * limitBytes)
    expect(Math.max(...resident)).toBeLessThan(1.1 * limitBytes)
    const seconds = subject.samples.slice(4).reduce((sum, { intervalMs }) => sum + intervalMs, 0) / 1000
    const grownPerS = ((resident.at(-1) ?? 0) - (resident[3] ?? 0)) / seconds
    expect(grownPerS).toBeGreaterThan(25e6)
    expect(grownPerS).toBeLessThan(55e6)
  })

  it('lets a process live that stays below its limit', async () => {
    subject = startSubject(modules, { memoryLimitBytes: limitBytes, intervalMs: 200 })
    await waitFor(() => (subject?.samples.length ?? 0) >= 5, { timeoutMs: 10_000, describe: 'five samples' })
    expect(subject.exited()).toBe(false)
  })

  it('makes the event loop late, more and more, when the processor is burnt', async () => {
    subject = startSubject(modules, { intervalMs: 500, fault: { type: 'cpu', rampMs: 3_000 }, faultAfterMs: 1_000 })
    const delays = (): ReadonlyArray<number> =>
      subject?.samples.map(({ process }) => process.eventLoopDelayMs).filter((delayMs) => delayMs > 15) ?? []
    await waitFor(() => (delays().at(-1) ?? 0) > 250, { timeoutMs: 15_000, describe: 'slices of 300 ms' })
    expect(delays()[0]).toBeLessThan(delays().at(-1) ?? 0)
    // How much of a core it gets depends on what else runs; that it takes far more than when idle does not.
    const cores = subject.samples.map(({ process }) => process.cpuCores)
    expect(Math.max(...cores)).toBeGreaterThan(2 * Math.min(...cores))
    expect(subject.exited()).toBe(false)
  })

  it('makes writes wait longer and longer when the disk is slow, and leaves nothing there', async () => {
    const diskDir = await mkdtemp(join(tmpdir(), 'segue-slow-'))
    try {
      const fault = { type: 'disk', rampMs: 3_000 } as const
      subject = startSubject(modules, { intervalMs: 250, diskDir, fault, faultAfterMs: 1_500 })
      const waits = (): ReadonlyArray<number> =>
        subject?.samples.flatMap(({ host }) => (host.diskLatencyMs === null ? [] : [host.diskLatencyMs])) ?? []
      const before = (): number => Math.max(...waits().slice(0, 4))
      await waitFor(() => waits().length > 8 && Math.max(...waits().slice(-2)) > Math.max(50, 5 * before()), {
        timeoutMs: 15_000,
        describe: () => `writes that take much longer than before: ${waits().join(', ')} ms`,
      })
      expect(subject.exited()).toBe(false)
      expect(await readdir(diskDir)).toEqual([])
    } finally {
      subject?.stop()
      await rm(diskDir, { recursive: true, force: true })
    }
  })
})

describe('shape of the burn', () => {
  it('goes from 20 % in slices of 20 ms to 95 % in slices of 300 ms, and stays there', () => {
    expect(burnAt(0, 10_000)).toEqual({ busyMs: 20, pauseMs: 80, duty: 0.2 })
    expect(burnAt(5_000, 10_000).busyMs).toBe(160)
    const end = burnAt(10_000, 10_000)
    expect(end.busyMs).toBe(300)
    expect(end.busyMs / (end.busyMs + end.pauseMs)).toBeCloseTo(0.95)
    expect(burnAt(60_000, 10_000)).toEqual(end)
  })
})

describe('the queue of a slow disk', () => {
  it('grows by the same share each second, up to 10,000 writes, and stays there', () => {
    expect([0, 5_000, 10_000, 60_000].map((ms) => queueAt(ms, 10_000))).toEqual([4, 200, 10_000, 10_000])
    expect(queueAt(0, 0)).toBe(10_000)
  })
})

describe('impossible faults', () => {
  it('are refused with the reason', () => {
    expect(() => injectFault({ type: 'leak', bytesPerS: 0 }, tmpdir())).toThrow(/0 bytes per second/)
    expect(() => injectFault({ type: 'cpu', rampMs: -1 }, tmpdir())).toThrow(/-1 ms/)
    expect(() => injectFault({ type: 'disk', rampMs: -1 }, tmpdir())).toThrow(/-1 ms/)
    expect(() => enforceMemoryLimit({ limitBytes: 0 })).toThrow(/0 bytes/)
  })
})
