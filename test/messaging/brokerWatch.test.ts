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
