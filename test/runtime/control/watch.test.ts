import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RecordedEvent } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { subjects } from '../../../src/messaging/index.js'
import { createMemoryBus } from '../../../src/messaging/memory/index.js'
import { ServerWatch } from '../../../src/runtime/control/watch.js'
import { controlCoreOn } from '../../support/controlCore.js'
import { serverJoined } from '../../support/serverFacts.js'
import { waitFor } from '../../support/waitFor.js'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const listening = async (answer: RequestListener, port = 0): Promise<Server> => {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  closers.push(() => end(server))
  return server
}
const end = (server: Server): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()).closeAllConnections())

/** The media server s1, in any number of lives, and a control plane's core that watches it. */
async function watched() {
  const store = createMemoryStore()
  const bus = createMemoryBus()
  const transport = bus.connect('s1')
  const { core } = controlCoreOn(store, {
    watch: (tell) => new ServerWatch({ transport: bus.connect('control'), now: Date.now, tell }),
  })
  closers.push(() => core.close())
  let process = await listening((_request, response) => response.end('{}'))
  const { port } = process.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  let heart: NodeJS.Timeout | undefined
  const beat = (bootId: string): void => {
    let seq = 0
    const everyMs = 100
    heart = setInterval(() => {
      transport.broadcast(subjects.heartbeat('s1'), { server: 's1', bootId, seq: (seq += 1), sentAt: 1, url, everyMs })
    }, everyMs)
  }
  closers.push(() => Promise.resolve(clearInterval(heart)))

  const join = async (bootId: string): Promise<void> => {
    const { type, data } = serverJoined('s1', bootId)
    await core.tell('server', 's1', { id: `joined-${bootId}`, type, data: { ...data, url } })
  }
  const begin = async (bootId: string, answer: RequestListener): Promise<void> => {
    process = await listening(answer, port)
    beat(bootId)
    await join(bootId)
  }
  const die = async (): Promise<void> => {
    clearInterval(heart)
    await end(process)
  }
  const told = async (type: string, times: number): Promise<ReadonlyArray<RecordedEvent>> => {
    const events: RecordedEvent[] = []
    await waitFor(
      async () => {
        events.length = 0
        for await (const event of store.readStream('server-s1')) events.push(event)
        return events.filter((event) => event.type === type).length >= times
      },
      {
        describe: () => `${type} to be told ${times} times; there are ${events.map((event) => event.type).join(', ')}`,
      },
    )
    return events
  }
  beat('boot-1')
  await join('boot-1')
  return { join, begin, die, told }
}

describe('a server that has failed', () => {
  it('fails again when its next process joins and is gone before anybody saw it', async () => {
    const { join, die, told } = await watched()
    await die()
    await told('ServerFailed', 1)
    await join('boot-2')
    await told('ServerRecovered', 1)
    const failures = (await told('ServerFailed', 2)).filter(({ type }) => type === 'ServerFailed')
    expect(failures[1]?.data).toMatchObject({ bootId: 'boot-2', signals: [{}, {}] })
  })

  it('fails again when its next process beats but never answers, and falls silent', async () => {
    const { begin, die, told } = await watched()
    await die()
    await told('ServerFailed', 1)
    await begin('boot-2', () => undefined)
    await told('ProbeFailed', 2)
    await die()
    await told('ServerFailed', 2)
  })
})
