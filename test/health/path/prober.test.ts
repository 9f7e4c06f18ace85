import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { startProber, type Prober, type ProbeOutcome } from '../../../src/health/path/index.js'
import { waitFor } from '../../support/waitFor.js'

/** Tells its port, and each question it gets; answers after 20 ms. */
const awakeServer = `
  const { parentPort } = require('node:worker_threads')
  const server = require('node:http').createServer((request, response) => {
    parentPort.postMessage('asked')
    setTimeout(() => response.end('{}'), 20)
  })
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
`

describe('prober', () => {
  let server: Server
  let prober: Prober | null = null
  let outcomes: ProbeOutcome[]
  let sockets: Set<Socket>
  let connections: number
  let answer: RequestListener

  const listen = (port = 0): Promise<number> =>
    new Promise((resolve) => {
      server = createServer((request, response) => answer(request, response))
      server.on('connection', (socket: Socket) => {
        connections += 1
        sockets.add(socket)
      })
      server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
    })
  const kill = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.resetAndDestroy()
    })
  const probe = (port: number, timeoutMs = 150): void => {
    prober = startProber({
      url: `http://127.0.0.1:${port}`,
      everyMs: 20,
      timeoutMs,
      onOutcome: (outcome) => outcomes.push(outcome),
    })
  }
  const outcomeOf = (wanted: string): Promise<unknown> =>
    waitFor(
      () => outcomes.find((outcome) => outcome.type === wanted || ('reason' in outcome && outcome.reason === wanted)),
      {
        describe: () => `the outcome ${wanted}; seen: ${JSON.stringify(outcomes.slice(-3))}`,
      },
    )

  beforeEach(() => {
    outcomes = []
    sockets = new Set()
    connections = 0
    answer = (_, response) => response.end(JSON.stringify({ bootId: 'boot-1' }))
  })
  afterEach(async () => {
    await prober?.stop()
    prober = null
    await kill()
  })

  it('measures the round trip over one kept connection, and learns the boot', async () => {
    probe(await listen(), 5_000)
    await waitFor(() => outcomes.length >= 10, { describe: 'ten outcomes' })
    expect(outcomes[5]).toMatchObject({ type: 'ok', bootId: 'boot-1' })
    expect(connections).toBe(1)
  })

  it('asks for /healthz', async () => {
    const urls: unknown[] = []
    answer = (request, response) => {
      urls.push(request.url)
      response.end()
    }
    probe(await listen())
    expect(await outcomeOf('ok')).toMatchObject({ bootId: null })
    expect(urls[0]).toBe('/healthz')
  })

  it('tells a bad status', async () => {
    answer = (_, response) => response.writeHead(503).end('draining')
    probe(await listen(), 5_000)
    await outcomeOf('status')
  })

  it('tells an answer that does not come in time, and recovers', async () => {
    answer = () => undefined
    probe(await listen())
    await outcomeOf('timeout')
    answer = (_, response) => response.end()
    await outcomeOf('ok')
  })

  it('tells a connection that breaks', async () => {
    answer = (request) => request.socket.resetAndDestroy()
    probe(await listen(), 5_000)
    await outcomeOf('reset')
  })

  it('tells a server that is gone, and finds it again when it is back', async () => {
    const port = await listen()
    probe(port, 5_000)
    await outcomeOf('ok')
    await kill()
    await outcomeOf('refused')
    outcomes = []
    await listen(port)
    await outcomeOf('ok')
  })

  it('tells a request that did not get out of our own machine from one that was refused', async () => {
    // No TCP connection can go to the broadcast address: the kernel says so at once.
    prober = startProber({ url: 'http://255.255.255.255', everyMs: 20, onOutcome: (outcome) => outcomes.push(outcome) })
    await outcomeOf('unreachable')
    await listen()
  })

  it('does not blame the server for a stall of its own', async () => {
    // A server that stays awake: each answer comes while this thread stands still, and after the time for it is over.
    const awake = new Worker(awakeServer, { eval: true })
    const messages: unknown[] = []
    awake.on('message', (message) => messages.push(message))
    try {
      const port = Number(await waitFor(() => messages[0], { describe: 'the port' }))
      probe(port, 50)
      const afterStall: (ProbeOutcome | undefined)[] = []
      for (let round = 0; round < 5; round += 1) {
        const asked = messages.length
        await waitFor(() => messages.length > asked, { everyMs: 1, describe: 'a question that is under way' })
        const seen = outcomes.length
        const untilMs = performance.now() + 400
        while (performance.now() < untilMs);
        await waitFor(() => outcomes.length > seen, { describe: 'its outcome' })
        afterStall.push(outcomes[seen])
      }
      expect(afterStall.map((outcome) => outcome?.type)).toEqual(Array(5).fill('ok'))
    } finally {
      await awake.terminate()
      await listen()
    }
  })

  it('refuses an address that is none', () => {
    expect(() => startProber({ url: 'server-a:80', onOutcome: () => undefined })).toThrow(/http or https address/)
  })

  /** Asks a server that has not answered for a minute. */
  const rest = async (port: number): Promise<void> => {
    let aheadMs = 0
    prober = startProber({
      url: `http://127.0.0.1:${port}`,
      everyMs: 20,
      timeoutMs: 150,
      onOutcome: (outcome) => outcomes.push(outcome),
      clock: { now: () => Date.now(), monotonicMs: () => performance.now() + aheadMs },
    })
    await waitFor(() => outcomes.length >= 3, { describe: 'refusals' })
    aheadMs = 60_000
    const [last] = outcomes.slice(-1)
    await waitFor(() => outcomes.at(-1) !== last, { describe: 'the first refusal after a minute' })
  }

  it('asks a server as often as before when there is reason to believe that it is back', async () => {
    const port = await listen()
    await kill()
    await rest(port)
    const before = outcomes.length
    prober?.wake()
    await waitFor(() => outcomes.length >= before + 5, { timeoutMs: 1_500, describe: 'five more refusals' })
    await listen()
  })

  it('asks less often once nothing has answered for a minute, and as often as before when it is back', async () => {
    const port = await listen()
    await kill()
    await rest(port)
    const before = outcomes.length
    await new Promise((resolve) => setTimeout(resolve, 500))
    // At 20 ms there would have been some 25.
    expect(outcomes.length - before).toBeLessThanOrEqual(2)

    await listen(port)
    await waitFor(() => outcomes.filter(({ type }) => type === 'ok').length >= 10, { describe: 'ten answers' })
    const answered = outcomes.filter(({ type }) => type === 'ok')
    expect((answered[9]?.at ?? 0) - (answered[0]?.at ?? 0)).toBeLessThan(10_000)
  })
})
