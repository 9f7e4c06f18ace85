// Serves the example pages:  node examples/players/serve.mjs [--from URL[,URL...]] [--stream NAME] [--latency S] [--port N]
// `--from`: media servers or the control plane; default the control plane of `segue up`.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { dirname, extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: 'http://127.0.0.1:7000' },
    stream: { type: 'string', default: 'main' },
    latency: { type: 'string', default: '1.5' },
    port: { type: 'string', default: '8080' },
  },
})

const latencyMs = Number(values.latency) * 1_000
if (!(latencyMs >= 500 && latencyMs <= 60_000)) {
  console.error(`--latency ${values.latency} is not usable: give 0.5 to 60 seconds behind live`)
  process.exit(2)
}

const pages = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(pages))
const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json' }

const fileOf = (path) => {
  if (path.startsWith('/segue/')) return join(root, 'dist', path.slice('/segue/'.length))
  if (/^\/node_modules\/(hls\.js|shaka-player|dashjs)\//.test(path)) return join(root, path)
  return join(pages, path === '/' ? 'hls.html' : path)
}

const server = createServer(async (request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://here').pathname))
  if (path === '/settings.json') {
    response.setHeader('content-type', types['.json'])
    return response.end(JSON.stringify({ stream: values.stream, bootstrap: values.from.split(','), latencyMs }))
  }
  try {
    const bytes = await readFile(fileOf(path))
    response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream')
    response.end(bytes)
  } catch {
    response.writeHead(404).end(`nothing at ${path}`)
  }
})
server.on('error', (error) => {
  console.error(`cannot listen on port ${values.port}: ${error.message}; choose another with --port`)
  process.exitCode = 1
})
server.listen(Number(values.port), '127.0.0.1', () => {
  const { port } = server.address()
  for (const page of ['hls', 'shaka', 'dash', 'mediaSource']) console.log(`http://127.0.0.1:${port}/${page}.html`)
})
