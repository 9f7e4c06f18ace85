import { connectNats } from '../../src/messaging/nats/index.js'
import { describeTransport } from '../contracts/transportContract.js'
import { hasNatsServer, startNatsServer } from '../support/natsServer.js'
import { describeUnless } from '../support/skip.js'

describeUnless(!hasNatsServer && 'nats-server is not installed', 'with a real nats-server', () => {
  describeTransport('the NATS transport', async () => {
    const server = await startNatsServer()
    return { connect: (name) => connectNats({ url: server.url, name }), dispose: server.stop }
  })
})
