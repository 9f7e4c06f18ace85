// A long play with a handover every 30 s.
import { pause } from '../stage.mjs'

const everyMs = 30_000

export async function runEndurance({ fleet, browser, latencyS, steered, minutes, log }) {
  await fleet.whole()
  const watched = await browser.watch({ fleet, latencyS, steered })
  const heap = []
  try {
    await watched.playing()
    await watched.reset()
    const endsAtMs = performance.now() + minutes * 60_000
    let handovers = 0
    while (performance.now() < endsAtMs) {
      const nextAtMs = performance.now() + everyMs
      await fleet.whole()
      const { id } = await fleet.primary()
      await fleet.handOver()
      await fleet.switchedFrom(id)
      handovers += 1
      await pause(Math.max(0, Math.min(nextAtMs, endsAtMs) - performance.now()))
      const { segue, peer, memory } = await watched.read()
      heap.push(memory)
      log(
        `${handovers} handovers: segue ${segue.stallMs} ms, ${segue.gaps} gaps, ${segue.duplicates} duplicates, heap ${(memory / 1e6).toFixed(1)} MB; peer ${peer.stallMs} ms`,
      )
    }
    const result = await watched.result()
    return { ...result, note: `${handovers} handovers in ${minutes} min`, heap, handovers }
  } finally {
    await watched.close()
  }
}
