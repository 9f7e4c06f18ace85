import { createMemoryBus } from '../../src/messaging/memory/index.js'
import { describeTransport } from '../contracts/transportContract.js'

describeTransport('the memory transport', async () => {
  const bus = createMemoryBus()
  return { connect: async (name) => bus.connect(name), dispose: async () => {} }
})
