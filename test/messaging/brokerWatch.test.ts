import { createServer, type AddressInfo, type Socket } from 'node:net'
import { watchBroker } from '../../src/messaging/nats/index.js'
import { hasNatsServer, startNatsServer } from '../support/natsServer.js'
import { describeUnless } from '../support/skip.js'
import { waitFor } from '../support/waitFor.js'

describeUnless(!hasNatsServer && 'nats-server is not installed', 'a watched broker', () => {
  it('counts as hung when its durable logs do not answer for long enough, and is told once', async () => {
    const nats = await startNatsServer()
    const hung: number[] = []
    const watch = watchBroker({
      ...{ url: nats.url, silentMsMax: 1_000, everyMs: 50 },
      onHung: (silentMs) => hung.push(silentMs),
    })
    try {
      // Shorter than allowed.
      process.kill(nats.pid, 'SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, 200))
      process.kill(nats.pid, 'SIGCONT')
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      expect(hung).toEqual([])

      process.kill(nats.pid, 'SIGSTOP')
      await waitFor(() => hung.length > 0)
      process.kill(nats.pid, 'SIGCONT')
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(hung).toEqual([expect.any(Number)])
      expect(hung[0]).toBeGreaterThan(1_000)
    } finally {
      await watch.stop()
      await nats.stop()
    }
  })
})

describe('a watch that is stopped while it connects', () => {
  it('leaves no connection behind', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    const connecting = new Promise<Socket>((resolve) => server.once('connection', resolve))
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const watch = watchBroker({ url: `nats://127.0.0.1:${port}`, silentMsMax: 10_000, onHung: () => undefined })
    const socket = await connecting

    const stopping = watch.stop()
    socket.on('data', (bytes) => bytes.includes('PING') && socket.write('PONG\r\n'))
    socket.write('INFO {"server_id":"made-up","version":"2.9.10","proto":1,"headers":true,"max_payload":1048576}\r\n')
    await stopping

    try {
      await waitFor(() => socket.destroyed, { timeoutMs: 1_000 })
    } finally {
      socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    }
  })
})
