import { isRight } from 'fp-ts/lib/Either.js'
import { tmpdir } from 'node:os'
import { HealthSample } from '../../src/events/catalogue/health.js'
import { startHealthSampler, type HealthSampler, type StreamMetrics } from '../../src/health/index.js'
import { waitFor } from '../support/waitFor.js'

const quiet: StreamMetrics = { encodersRunning: 0, speed: null, latenessMs: null, streams: 0, viewers: 0 }
/** Processor time, not time on the wall: a busy machine gives a process less of it than it asks for. */
const burn = (ms: number): void => {
  const start = process.cpuUsage()
  const usedMs = (): number => {
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1_000
  }
  while (usedMs() < ms);
}

describe('health sampler', () => {
  let sampler: HealthSampler | null = null
  const samples: HealthSample[] = []
  const start = (options: Partial<Parameters<typeof startHealthSampler>[0]> = {}): HealthSampler => {
    samples.length = 0
    sampler = startHealthSampler({
      server: 'a',
      bootId: 'boot-1',
      intervalMs: 200,
      memoryLimitBytes: 400e6,
      diskDir: tmpdir(),
      streamMetrics: () => quiet,
      onSample: (sample) => samples.push(sample),
      ...options,
    })
    return sampler
  }
  afterEach(() => sampler?.stop())

  it('measures this machine and this process at its interval', async () => {
    start()
    await waitFor(() => samples.length >= 4, { describe: 'four samples' })
    expect(samples.slice(0, 4).map(({ seq }) => seq)).toEqual([0, 1, 2, 3])
    for (const sample of samples) expect(isRight(HealthSample.decode(JSON.parse(JSON.stringify(sample))))).toBe(true)
    const sample = samples[3]
    expect(sample?.intervalMs).toBeGreaterThan(100)
    expect(Math.abs((sample?.takenAt ?? 0) - Date.now())).toBeLessThan(5_000)
    expect(sample?.process.residentBytes).toBeGreaterThan(20e6)
    expect(sample?.process.memoryLimitBytes).toBeLessThanOrEqual(400e6)
    expect(sample?.host.cpuRatio).not.toBeNull()
    expect(sample?.host.memoryRatio).toBeGreaterThan(0)
    expect(samples.some(({ host }) => (host.diskLatencyMs ?? 0) > 0)).toBe(true)
  })

  it('shows a blocked event loop and the processor time that it took', async () => {
    start()
    await waitFor(() => samples.length >= 1, { describe: 'the first sample' })
    burn(400)
    const before = samples.length
    await waitFor(() => samples.length > before, { describe: 'the sample after the block' })
    const sample = samples[before]
    expect(sample?.process.eventLoopDelayMs).toBeGreaterThan(150)
    expect((sample?.process.cpuCores ?? 0) * (sample?.intervalMs ?? 0)).toBeGreaterThan(300)
  })

  it('lets no NaN or infinity out', () => {
    const broken = { encodersRunning: Number.NaN, speed: Infinity, latenessMs: Number.NaN, streams: -1, viewers: 2.4 }
    const sample = start({ streamMetrics: () => broken }).take()
    expect(sample.encoder).toEqual({ running: 0, speed: null, latenessMs: null })
    expect(sample).toMatchObject({ streams: 0, viewers: 2 })
    expect(isRight(HealthSample.decode(sample))).toBe(true)
  })

  it('goes on when a receiver throws', async () => {
    const errors: unknown[] = []
    let calls = 0
    start({
      onSample: () => {
        calls += 1
        throw new Error('receiver is broken')
      },
      onError: (error) => errors.push(error),
    })
    await waitFor(() => calls >= 2, { describe: 'a second sample' })
    expect(errors.length).toBeGreaterThanOrEqual(1)
  })

  it.each([199, 60_001, Number.NaN])('refuses an interval of %d ms, and says what is possible', (intervalMs) => {
    expect(() => start({ intervalMs })).toThrow(/200 to 60000 ms/)
  })

  it('refuses a memory limit of zero', () => {
    expect(() => start({ memoryLimitBytes: 0 })).toThrow(/memory limit 0 bytes/)
  })
})
