// Records a series of health samples from a real process: the server in test/runtime/faults/subject, under load.
// Usage, after a build: node test/model/golden/record.mjs <dist> <name> <seconds> <about> '<options of the subject>' [requests per second]
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const [, , dist, name, seconds, about, json, requestsPerS = '50'] = process.argv
const options = JSON.parse(json)
const subject = fileURLToPath(new URL('../../runtime/faults/subject/subject.mjs', import.meta.url))
const child = spawn(process.execPath, [subject, dist, json], { stdio: ['pipe', 'pipe', 'inherit'] })

const columns = {
  seq: (sample) => sample.seq,
  takenAt: (sample) => sample.takenAt,
  intervalMs: (sample) => sample.intervalMs,
  cpuCores: (sample) => sample.process.cpuCores,
  residentBytes: (sample) => sample.process.residentBytes,
  eventLoopDelayMs: (sample) => sample.process.eventLoopDelayMs,
  latenessMs: (sample) => sample.encoder.latenessMs,
  diskLatencyMs: (sample) => sample.host.diskLatencyMs,
  hostCpuRatio: (sample) => sample.host.cpuRatio,
  hostMemoryRatio: (sample) => sample.host.memoryRatio,
}
const rows = []
let faultAt = null
let stopping = false
const agent = new Agent({ keepAlive: true, maxSockets: 16 })

const load = (url) => {
  let owed = 0
  let before = performance.now()
  setInterval(() => {
    owed += ((performance.now() - before) * Number(requestsPerS)) / 1000
    before = performance.now()
    for (; owed >= 1; owed -= 1) get(`${url}/${Math.floor(owed)}`, { agent }, (r) => r.resume()).on('error', () => {})
  }, 10).unref()
}

createInterface({ input: child.stdout }).on('line', (line) => {
  const message = JSON.parse(line)
  if (message.url !== undefined) load(message.url)
  if (message.injectedAt !== undefined) faultAt = message.injectedAt
  if (message.sample !== undefined) rows.push(Object.values(columns).map((valueOf) => valueOf(message.sample)))
})
child.on('exit', () => {
  const diedAt = stopping ? null : Date.now()
  const head = { about, memoryLimitBytes: options.memoryLimitBytes ?? null, faultAt, diedAt }
  const lines = rows.map((row) => `    ${JSON.stringify(row).replaceAll(',', ', ')}`).join(',\n')
  const fields = Object.entries({ ...head, columns: Object.keys(columns) })
    .map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value).replaceAll('","', '", "')},\n`)
    .join('')
  writeFileSync(
    fileURLToPath(new URL(`./${name}.json`, import.meta.url)),
    `{\n${fields}  "rows": [\n${lines}\n  ]\n}\n`,
  )
  process.exit()
})
setTimeout(
  () => {
    stopping = true
    child.stdin.end()
  },
  Number(seconds) * 1000,
)
