// The rule for latency and playback rate (src/client/pacing.ts) against the low-latency defaults of hls.js and dash.js,
// on recorded networks. Computed, not played: all three get the same segments at the same times.
//   node bench/buffering.mjs [--traces FOLDER] [--kbps 600] [--latency 1.5] [--json]   (after npm run build)
// A trace is a text file with lines of `seconds  Mbit/s`. Without --traces: ../shared/traces, else the small one of the tests.
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { latencyFor, paceAfter, paceUnknown, rateFor } from '../dist/client/index.js'
import { row } from './stage.mjs'

const { values } = parseArgs({
  options: {
    traces: { type: 'string' },
    kbps: { type: 'string', default: '600' },
    latency: { type: 'string', default: '1.5' },
    json: { type: 'boolean', default: false },
  },
})

const segmentS = 0.32
const stepS = 0.02
const encodeS = 0.13
const rttS = 0.04
const windowSegments = 16
const playedSMax = 600
const latencyS = Number(values.latency)
const segmentBits = Number(values.kbps) * 1000 * segmentS
/** What is older has left the playlist. */
const windowS = windowSegments * segmentS
const latencySMax = windowS - 2 * segmentS

/** liveSyncDuration as asked for; maxLiveSyncPlaybackRate 1 and liveSyncOnStallIncrease 1 s (hls.js 1.7 defaults). */
const hlsDefaults = () => ({ rate: () => 1, arrived: () => undefined, resumeAt: () => latencyS })

/** liveDelay as asked for; catch-up by a sigmoid of the distance, 0.5 to 1.5 (dash.js 5 defaults). */
const dashDefaults = () => ({
  rate: ({ latency, buffer, stalledLately }) => {
    if (stalledLately && buffer <= latencyS / 2) return 1
    const off = latency - latencyS
    if (Math.abs(off) < 0.05) return 1
    return 0.5 + 1 / (1 + Math.exp(-5 * off))
  },
  arrived: () => undefined,
  resumeAt: () => latencyS,
})

const segue = () => {
  let pace = paceUnknown
  let beforeS = 0
  const wanted = () =>
    latencyFor(pace, {
      latencyMs: latencyS * 1000,
      latencyMsMax: latencySMax * 1000,
      segmentMs: segmentS * 1000,
      risk: 0,
    })
  return {
    rate: ({ latency, buffer }) => rateFor(latency * 1000, wanted(), buffer * 1000, segmentS * 1000),
    arrived: (atS, endS) => {
      pace = paceAfter(pace, (atS - endS) * 1000, (atS - beforeS) * 1000)
      beforeS = atS
    },
    // hls.js jumps to its liveSyncDuration.
    resumeAt: () => latencyS,
  }
}

/** Plays one trace. Segments are fetched one after the other, each as soon as it is there. */
function play(samples, policy) {
  const lengthS = Math.min(playedSMax, samples.at(-1).atS - samples[0].atS)
  let at = 0
  let next = 0
  let bitsLeft = segmentBits
  let waitS = rttS
  let endS = null
  let positionS = null
  let stalledLatelyUntilS = 0
  const sums = { playedS: 0, stalledS: 0, stalls: 0, skippedS: 0, latency: 0, steps: 0, fastS: 0 }
  let moving = false
  for (let nowS = 3; nowS < lengthS; nowS += stepS) {
    while (at + 1 < samples.length && samples[at + 1].atS - samples[0].atS <= nowS) at += 1
    const live = Math.floor((nowS - encodeS) / segmentS) - 1
    if (endS === null && positionS === null) next = Math.max(0, live - Math.ceil((latencyS - encodeS) / segmentS) + 1)
    // Fetch.
    let leftS = stepS
    while (leftS > 1e-9 && next <= live) {
      const waited = Math.min(leftS, waitS)
      waitS -= waited
      leftS -= waited
      const rate = Math.max(1, samples[at].bitsPerS)
      const taken = Math.min(bitsLeft, rate * leftS)
      bitsLeft -= taken
      leftS -= taken / rate
      if (bitsLeft > 1e-6) break
      endS = (next + 1) * segmentS
      positionS ??= next * segmentS
      policy.arrived(nowS, endS)
      next += 1
      ;[bitsLeft, waitS] = [segmentBits, rttS]
    }
    if (positionS === null) continue
    // What left the playlist cannot be fetched any more: on to near live.
    if (next < live - windowSegments) {
      const resume = Math.max(next, Math.round((nowS - policy.resumeAt()) / segmentS))
      sums.skippedS += Math.max(0, resume * segmentS - Math.max(positionS, endS))
      next = resume
      positionS = endS = resume * segmentS
      ;[bitsLeft, waitS] = [segmentBits, rttS]
    }
    // Play.
    const buffer = endS - positionS
    const latency = nowS - positionS
    const begun = sums.playedS > 0
    if (!begun && !(latency >= latencyS || buffer >= latencyS)) continue
    const rate = policy.rate({ latency, buffer, stalledLately: nowS < stalledLatelyUntilS })
    if (buffer >= rate * stepS - 1e-9) {
      positionS += rate * stepS
      sums.playedS += stepS
      moving = true
      if (Math.abs(rate - 1) > 0.051) sums.fastS += stepS
    } else {
      if (moving) sums.stalls += 1
      moving = false
      sums.stalledS += stepS
      stalledLatelyUntilS = nowS + 1
    }
    sums.latency += latency
    sums.steps += 1
  }
  return sums
}

const read = (text) =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([atS, mbps]) => Number.isFinite(atS) && Number.isFinite(mbps))
    .map(([atS, mbps]) => ({ atS, bitsPerS: mbps * 1e6 }))

async function folderOfTraces() {
  if (values.traces !== undefined) return { folder: values.traces, release: async () => undefined }
  const packed = fileURLToPath(new URL('../../shared/traces/bandwidth.tar.gz', import.meta.url))
  const small = fileURLToPath(new URL('../test/client/traces', import.meta.url))
  if (!existsSync(packed)) return { folder: small, release: async () => undefined }
  const folder = await mkdtemp(join(tmpdir(), 'segue-traces-'))
  execFileSync('tar', ['xzf', packed, '-C', folder])
  return { folder, release: () => rm(folder, { recursive: true, force: true }) }
}

const { folder, release } = await folderOfTraces()
const names = (await readdir(folder)).filter((name) => name.endsWith('.txt')).toSorted()
const policies = { 'hls.js defaults': hlsDefaults, 'dash.js defaults': dashDefaults, segue }
const totals = Object.fromEntries(Object.keys(policies).map((name) => [name, []]))
for (const name of names) {
  const samples = read(await readFile(join(folder, name), 'utf8'))
  if (samples.length < 2 || samples.at(-1).atS - samples[0].atS < 10) continue
  for (const [policy, make] of Object.entries(policies)) {
    const sums = play(samples, make())
    if (sums.steps > 0) totals[policy].push(sums)
  }
}
await release()

const sum = (list, key) => list.reduce((total, each) => total + each[key], 0)
const figures = Object.entries(totals).map(([policy, list]) => {
  const watchedS = sum(list, 'playedS') + sum(list, 'stalledS')
  return {
    policy,
    traces: list.length,
    hours: watchedS / 3600,
    rebufferPercent: (100 * sum(list, 'stalledS')) / watchedS,
    stallsPerHour: sum(list, 'stalls') / (watchedS / 3600),
    meanLatencyS: sum(list, 'latency') / sum(list, 'steps'),
    skippedPercent: (100 * sum(list, 'skippedS')) / watchedS,
    beyond5Percent: (100 * sum(list, 'fastS')) / watchedS,
  }
})
if (values.json) console.log(JSON.stringify({ kbps: Number(values.kbps), latencyS, figures }))
else {
  console.log(
    row(
      'rule',
      'traces',
      'hours',
      'stalled %',
      'stalls/h',
      'mean latency s',
      'skipped %',
      'rate beyond 5 % of the time',
    ),
  )
  console.log(row('---', '---', '---', '---', '---', '---', '---', '---'))
  for (const each of figures) {
    const { policy, traces, hours, rebufferPercent, stallsPerHour, meanLatencyS, skippedPercent, beyond5Percent } = each
    console.log(
      row(
        policy,
        traces,
        hours.toFixed(1),
        rebufferPercent.toFixed(2),
        stallsPerHour.toFixed(1),
        meanLatencyS.toFixed(2),
        skippedPercent.toFixed(2),
        `${beyond5Percent.toFixed(1)} %`,
      ),
    )
  }
}
