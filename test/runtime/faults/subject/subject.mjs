// A small media-like server: it makes a segment every 320 ms, hashes it, keeps the last 30 s and serves them over HTTP.
// argv: directory of the compiled modules, options as JSON. Prints one JSON line per health sample.
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [, , modulesDir, json] = process.argv
const options = JSON.parse(json)
const load = (path) => import(pathToFileURL(join(modulesDir, path)).href)
const { startHealthSampler } = await load('health/sampler.js')
const { enforceMemoryLimit } = await load('runtime/faults/memoryLimit.js')
const { injectFault } = await load('runtime/faults/inject.js')

const segments = new Map()
let number = 0
let latenessMs = 130
let dueAtMs = performance.now()
// An encoder that was held up catches up: the grid of segments stays where it was.
const makeSegments = () => {
  dueAtMs += 320
  setTimeout(() => {
    latenessMs = 130 + Math.max(0, performance.now() - dueAtMs)
    for (let stream = 0; stream < 4; stream += 1) {
      const bytes = randomBytes(60_000)
      segments.set(`${stream}/${number}`, { bytes, sha256: createHash('sha256').update(bytes).digest('hex') })
      segments.delete(`${stream}/${number - 94}`)
    }
    number += 1
    makeSegments()
  }, dueAtMs - performance.now())
}
makeSegments()

createServer((request, response) => {
  if (request.url === '/healthz') return response.end(JSON.stringify({ bootId: 'boot-1' }))
  const wanted = segments.get(`${Number(request.url.slice(1)) % 4}/${number - 1}`)
  if (wanted === undefined) return response.writeHead(404).end()
  response.writeHead(200, { 'x-sha256': wanted.sha256 }).end(wanted.bytes)
}).listen(options.port ?? 0, '127.0.0.1', function () {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${this.address().port}` })}\n`)
})

// A cache that fills up for a while and is then dropped at once.
if (options.sawtooth !== undefined) {
  let cache = []
  const startedAt = performance.now()
  let tooth = 0
  setInterval(() => {
    cache.push(
      Array.from({ length: 500 }, (_, i) => ({ at: i, text: `entry ${i} of ${tooth} `.repeat(options.sawtooth.size) })),
      Buffer.alloc(options.sawtooth.bytes, 1),
    )
    const current = Math.floor((performance.now() - startedAt) / options.sawtooth.periodMs)
    if (current !== tooth) cache = []
    tooth = current
  }, 100)
}

// Peaks of honest work in slices of 8 ms: [{ fromMs, untilMs, duty, rampMs }].
for (const { fromMs, untilMs, duty, rampMs } of options.peaks ?? []) {
  const startedAt = performance.now()
  const block = randomBytes(100_000)
  const slice = () => {
    const elapsedMs = performance.now() - startedAt
    if (elapsedMs > untilMs) return
    const dutyNow = duty * Math.min(1, (elapsedMs - fromMs + 50) / (rampMs + 50))
    const end = performance.now() + 8
    while (performance.now() < end) createHash('sha256').update(block).digest()
    setTimeout(slice, 8 / dutyNow - 8)
  }
  setTimeout(slice, fromMs)
}

if (options.memoryLimitBytes !== undefined) enforceMemoryLimit({ limitBytes: options.memoryLimitBytes })
startHealthSampler({
  server: 'subject',
  bootId: 'boot-1',
  intervalMs: options.intervalMs ?? 1000,
  memoryLimitBytes: options.memoryLimitBytes ?? null,
  diskDir: options.diskDir ?? null,
  streamMetrics: () => ({ encodersRunning: 4, speed: 1, latenessMs, streams: 4, viewers: 8 }),
  onSample: (sample) => process.stdout.write(`${JSON.stringify({ sample })}\n`),
})
const injectNow = () => {
  process.stdout.write(`${JSON.stringify({ injectedAt: Date.now() })}\n`)
  injectFault(options.fault, options.diskDir)
}
if (options.fault !== undefined) setTimeout(injectNow, options.faultAfterMs ?? 0)
process.stdin.on('end', () => process.exit(0)).resume()
