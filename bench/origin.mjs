// Requests per second of a media server's origin, beside nginx with the same bytes in files.
//   node bench/origin.mjs [--runs 5] [--seconds 4] [--connections 16] [--workers 1]   (after npm run build)
// Needs wrk and nginx (apt install wrk nginx). Both servers and wrk share the machine, one server is asked at a time, in
// turn. Each is one process unless --workers says that nginx has more. Segments of 100 KB (a picture) and 14 KB.
import { execFileSync, fork, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { freePort, row, spread, until } from './stage.mjs'

const sizes = { video: 100_000, audio: 14_000 }
const number = 5_000_000_000
const path = (track) => `/streams/demo/${track}/${number}.m4s`

if (process.send !== undefined) await serveSegments()
else await compare()

async function compare() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      connections: { type: 'string', default: '16' },
      workers: { type: 'string', default: '1' },
    },
  })
  const dir = await mkdtemp(join(tmpdir(), 'segue-bench-'))
  const [segue, nginx] = [await startSegue(), await startNginx(dir, values.workers)]
  try {
    const found = {}
    for (let run = 1; run <= Number(values.runs); run += 1) {
      for (const track of Object.keys(sizes)) {
        const of = { segue: load(segue.url, track, values), nginx: load(nginx.url, track, values) }
        ;(found[track] ??= []).push(of)
        console.error(`run ${run}, ${sizes[track] / 1000} KB: ${JSON.stringify(of)}`)
      }
    }
    console.log(row('segment', 'Segue, requests/s', 'nginx, requests/s', 'Segue / nginx'))
    console.log(row('---', '---', '---', '---'))
    for (const [track, runs] of Object.entries(found)) {
      const ratios = runs.map((each) => each.segue / each.nginx)
      const [ours, theirs] = ['segue', 'nginx'].map((name) => spread(runs.map((each) => each[name])))
      console.log(row(`${sizes[track] / 1000} KB`, ours, theirs, spread(ratios, 2)))
    }
  } finally {
    await Promise.all([segue.stop(), nginx.stop()])
    await rm(dir, { recursive: true, force: true })
  }
}

function load(url, track, { seconds, connections }) {
  const output = execFileSync('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, `${url}${path(track)}`], {
    encoding: 'utf8',
  })
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`not every request was answered:\n${output}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(output)[1])
}

async function startSegue() {
  const child = fork(fileURLToPath(import.meta.url))
  const url = await new Promise((resolve) => child.once('message', resolve))
  return { url, stop: () => ended(child) }
}

/** A real origin in front of one segment of each size. */
async function serveSegments() {
  const { createOrigin, createRouteBook, createAuthority } = await import('../dist/media/origin/index.js')
  const { createSegmentBuffer } = await import('../dist/media/buffer/index.js')
  const buffer = createSegmentBuffer(16)
  for (const [track, bytes] of Object.entries(sizes)) {
    buffer.putEncoded({ track, number, bytes: Buffer.alloc(bytes, track), startTicks: 0, durationTicks: 28_800 })
  }
  const routes = createRouteBook('a')
  const stream = {
    ...{ stream: 'demo', format: { segmentTicks: 28_800 }, buffer, windowSegments: 16, routes },
    ...{ role: () => 'primary', encoding: () => true, onViewerRequest: () => undefined },
    authority: createAuthority({ routes, askRoute: async () => null }),
  }
  const origin = createOrigin({
    ...{ server: 'a', bootId: 'bench', streamOf: (name) => (name === 'demo' ? stream : null), routeOf: () => null },
    ...{ sessionOf: async () => null, checkSuspension: () => undefined, drain: { progress: () => ({}) } },
  })
  process.send(await origin.listen({ host: '127.0.0.1', port: 0 }))
  process.once('disconnect', () => process.exit())
}

async function startNginx(dir, workers) {
  const port = await freePort()
  for (const [track, bytes] of Object.entries(sizes)) {
    await mkdir(join(dir, `www/streams/demo/${track}`), { recursive: true })
    await writeFile(join(dir, 'www', path(track)), Buffer.alloc(bytes, track))
  }
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(dir, name)};`,
  )
  const config = `
    daemon off; worker_processes ${workers}; pid ${join(dir, 'nginx.pid')}; error_log stderr;
    events { worker_connections 1024; }
    http {
      access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; ${temporary.join(' ')}
      types { video/mp4 m4s; }
      server {
        listen 127.0.0.1:${port} reuseport; root ${join(dir, 'www')};
        add_header access-control-allow-origin *; add_header cache-control "public, max-age=3600, immutable";
      }
    }`
  await writeFile(join(dir, 'nginx.conf'), config)
  const args = ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr', '-g', 'user root;']
  const child = spawn('nginx', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const url = `http://127.0.0.1:${port}`
  await until(
    () =>
      fetch(`${url}${path('audio')}`).then(
        ({ ok }) => ok,
        () => false,
      ),
    'nginx',
  )
  return { url, stop: () => ended(child) }
}

function ended(child) {
  return new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGTERM')
  })
}
