// A reverse proxy in front of one media server that can be told to answer wrongly.
import { createServer, request } from 'node:http'
import { connect } from 'node:net'

const isSegment = (url) => url.endsWith('.m4s')

/**
 * @param port of the media server on this machine
 * Modes: `pass`; `status`: 500 to everything; `half`: half of each segment, then the connection breaks; `wrong`: one
 * byte of each segment is another.
 */
export async function openFaultyFront(port) {
  let mode = 'pass'
  const server = createServer((asked, answer) => {
    if (mode === 'status') return answer.writeHead(500, { 'access-control-allow-origin': '*' }).end('broken')
    const passed = request({ host: '127.0.0.1', port, path: asked.url, method: asked.method, headers: asked.headers })
    passed.on('error', () => answer.destroy())
    answer.on('close', () => passed.destroy())
    passed.on('response', (given) => {
      answer.writeHead(given.statusCode, given.headers)
      if (mode === 'pass' || given.statusCode !== 200 || !isSegment(asked.url)) return given.pipe(answer)
      const chunks = []
      given.on('data', (chunk) => chunks.push(chunk))
      given.on('end', () => {
        const body = Buffer.concat(chunks)
        if (mode === 'half') return answer.write(body.subarray(0, body.length >> 1), () => answer.destroy())
        body[body.length >> 1] ^= 0xff
        answer.end(body)
      })
    })
    asked.pipe(passed)
  })
  server.keepAliveTimeout = 30_000
  // Notice channels go through as they are.
  server.on('upgrade', (asked, socket, head) => {
    const through = connect(port, '127.0.0.1', () => {
      const headers = Object.entries(asked.headers).map(([name, value]) => `${name}: ${value}`)
      through.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
      through.write(head)
      through.pipe(socket).pipe(through)
    })
    through.on('error', () => socket.destroy())
    socket.on('error', () => through.destroy())
    socket.on('close', () => through.destroy())
    through.on('close', () => socket.destroy())
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    set: (next) => {
      mode = next
    },
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}
