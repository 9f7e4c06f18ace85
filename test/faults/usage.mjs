// Memory and open handles of the processes of a fleet over time.
import { readdir, readFile } from 'node:fs/promises'

/** What a process holds now; null when it is gone. */
async function usageOf(pid) {
  try {
    const [status, handles] = await Promise.all([readFile(`/proc/${pid}/status`, 'utf8'), readdir(`/proc/${pid}/fd`)])
    const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])
    return Number.isFinite(kilobytes) ? { megabytes: kilobytes / 1024, handles: handles.length } : null
  } catch {
    return null
  }
}

/** Notes, every few seconds, what each process of a fleet holds. A role that is started anew begins a new life. */
export function watchUsage(fleet, everyMs) {
  const lives = new Map()
  const look = async () => {
    const atMs = performance.now()
    for (const [role, pid] of Object.entries(fleet.pids())) {
      const usage = await usageOf(pid)
      if (usage === null) continue
      const life = lives.get(pid) ?? { role, pid, samples: [] }
      lives.set(pid, life)
      life.samples.push({ atMs, ...usage })
    }
  }
  const timer = setInterval(() => void look(), everyMs)
  return {
    lives: () => [...lives.values()],
    stop: () => clearInterval(timer),
  }
}

const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length

/** Least squares: change of a quantity for each millisecond. */
function slopeOf(samples, key) {
  const [meanAt, meanValue] = [mean(samples.map(({ atMs }) => atMs)), mean(samples.map((each) => each[key]))]
  const spread = samples.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0)
  const shared = samples.reduce((sum, each) => sum + (each.atMs - meanAt) * (each[key] - meanValue), 0)
  return spread === 0 ? 0 : shared / spread
}

/**
 * How a process's holdings developed after its warm-up: the mean, and the growth by the line of least squares from the
 * first sample to the last, absolute and in per cent of the mean. Null for a life too short to tell.
 */
export function trendOf({ role, pid, samples }, { warmUpMs, lifeMsMin }) {
  const [first] = samples
  const settled = samples.filter(({ atMs }) => atMs - first.atMs >= warmUpMs)
  const lastedMs = settled.length < 2 ? 0 : settled.at(-1).atMs - settled[0].atMs
  if (lastedMs < lifeMsMin) return null
  const of = (key) => {
    const average = mean(settled.map((each) => each[key]))
    const growth = slopeOf(settled, key) * lastedMs
    return { mean: average, growth, percent: (100 * growth) / average, perHour: slopeOf(settled, key) * 3_600_000 }
  }
  return { role, pid, minutes: lastedMs / 60_000, memory: of('megabytes'), handles: of('handles') }
}
