import { connect } from 'nats'
import { createServer, type AddressInfo } from 'node:net'
import { connectNats, type NatsOptions } from '../../src/messaging/nats/index.js'
import { placesOn } from '../../src/messaging/nats/places.js'
import { ServerSide } from '../../src/messaging/nats/serverSide.js'
import { TransportUnavailable, type Message, type Transport } from '../../src/messaging/index.js'
import { numbers, publishNumbers, unique, upTo } from '../contracts/transportContract.js'
import { hasNatsServer, startNatsServer, type NatsTestServer } from '../support/natsServer.js'
import { describeUnless } from '../support/skip.js'
import { waitFor } from '../support/waitFor.js'

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )

describeUnless(!hasNatsServer && 'nats-server is not installed', 'NATS in trouble', () => {
  let server: NatsTestServer
  let clients: Transport[] = []
  beforeEach(async () => {
    server = await startNatsServer()
  })
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.close()))
    clients = []
    await server.stop()
  })
  const connectClient = async (options: Partial<NatsOptions> = {}) => {
    const client = await connectNats({ url: server.url, name: 'test', ...options })
    clients.push(client)
    return client
  }
  const collectFrom = async (client: Transport, subject: string, durable = unique('durable')) => {
    const messages: Message[] = []
    await client.consume({
      durable,
      subject,
      inFlightMax: 16,
      onMessage: async (message) => void messages.push(message),
    })
    return messages
  }
  const distinct = (messages: ReadonlyArray<Message>) => [...new Set(numbers(messages))]

  test.each([false, true])(
    'publishing and consuming go on after the server restarted (files lost: %s)',
    async (wipe) => {
      const [sender, receiver] = [await connectClient(), await connectClient()]
      const messages = await collectFrom(receiver, 'segue.stream.>')
      await publishNumbers(sender, 'segue.stream.s', upTo(5))
      await waitFor(() => messages.length === 5)

      await server.restart({ wipe })

      await waitFor(() => sender.state() === 'connected' && receiver.state() === 'connected', { timeoutMs: 10_000 })
      await publishNumbers(sender, 'segue.stream.s', [5, 6, 7])
      await waitFor(() => distinct(messages).length === 8, { timeoutMs: 10_000 })
      // An acknowledgement that the server had not yet written down may be asked for again, never something lost.
      expect(distinct(messages)).toEqual(upTo(8))
    },
  )

  test('a consumer opened before its messages were acknowledged gets them from the restarted server', async () => {
    const [sender, receiver] = [await connectClient(), await connectClient()]
    let refusing = true
    const handled: unknown[] = []
    await receiver.consume({
      durable: 'refuses-at-first',
      subject: 'segue.stream.>',
      inFlightMax: 4,
      onMessage: async (message) => {
        if (refusing) throw new Error('not now')
        handled.push(...numbers([message]))
      },
    })
    await publishNumbers(sender, 'segue.stream.s', upTo(10))

    await server.restart()
    refusing = false

    await waitFor(() => new Set(handled).size === 10, { timeoutMs: 15_000 })
    expect([...new Set(handled)]).toEqual(upTo(10))
  })

  test('what was handed to a process that is gone comes to its successor at once, before anything newer', async () => {
    const [sender, gone, successor] = [await connectClient(), await connectClient(), await connectClient()]
    const taken: unknown[] = []
    let letGo: () => void = () => undefined
    const forgotten = new Promise<void>((resolve) => (letGo = resolve))
    const options = { durable: 'taken-over', subject: 'segue.health.>', inFlightMax: 10 }
    await gone.consume({
      ...options,
      onMessage: (message) => {
        taken.push(...numbers([message]))
        return forgotten
      },
    })
    await publishNumbers(sender, 'segue.health.a', upTo(3))
    await publishNumbers(sender, 'segue.health.b', upTo(3))
    await waitFor(() => taken.length === 2)

    const handled: Message[] = []
    await successor.consume({ ...options, onMessage: async (message) => void handled.push(message) })
    await publishNumbers(sender, 'segue.health.a', [3])

    // Sooner than the server hands out again what nobody has acknowledged.
    await waitFor(() => handled.length === 7, { timeoutMs: 2_500 })
    expect(numbers(handled.filter(({ subject }) => subject === 'segue.health.a'))).toEqual(upTo(4))
    letGo()
  })

  test('a process that ends while it makes the consumer anew leaves its place to those who share it', async () => {
    const [sender, first] = [await connectClient(), await connectClient()]
    const options = { durable: 'shared', subject: 'segue.stream.>', inFlightMax: 16 }
    const handled: Message[] = []
    const opened = await first.consume({ ...options, onMessage: async (message) => void handled.push(message) })
    await publishNumbers(sender, 'segue.stream.s', upTo(3))
    await waitFor(() => handled.length === 3)
    await opened.close()
    await publishNumbers(sender, 'segue.stream.s', [3, 4])
    const administrator = await connect({ servers: new URL(server.url).host })
    const manager = await administrator.jetstreamManager()
    const deliverSubject = 'segue-deliver.shared'
    administrator.subscribe(deliverSubject)
    await waitFor(async () => (await manager.consumers.info('SEGUE_FACTS', 'shared')).num_ack_pending === 2)

    const consumers = Object.assign(Object.create(manager.consumers), {
      add: () => Promise.reject(new Error('killed')),
    })
    const ending = new ServerSide({
      manager: Object.assign(Object.create(manager), { consumers }),
      places: placesOn(administrator),
      deliverSubject,
      options: { ...options, onMessage: async () => undefined },
      onLogMadeAnew: () => undefined,
    })
    await expect(ending.takeOver()).rejects.toThrow('killed')
    await administrator.close()

    // The next one acknowledges nothing.
    let letGo: () => void = () => undefined
    const forgotten = new Promise<void>((resolve) => (letGo = resolve))
    const taken: Message[] = []
    const hanging = await connectClient()
    await hanging.consume({ ...options, onMessage: (message) => (taken.push(message), forgotten) })
    await waitFor(() => taken.length > 0)
    expect(numbers(taken)).toEqual([3])

    const left = await collectFrom(await connectClient(), 'segue.stream.>', 'shared')
    await publishNumbers(sender, 'segue.stream.s', [5])
    await waitFor(() => numbers(left).includes(5))
    expect(numbers(left)).toEqual([3, 4, 5])
    letGo()
  })

  test('after the server lost its log, old messages acknowledge no new ones', async () => {
    const [sender, receiver] = [await connectClient(), await connectClient()]
    const handed: unknown[] = []
    let endOld = (): void => undefined
    const old = new Promise<void>((resolve) => (endOld = resolve))
    let endNew = (): void => undefined
    const unfinished = new Promise<void>((resolve) => (endNew = resolve))
    await receiver.consume({
      durable: 'holds',
      subject: 'segue.stream.>',
      inFlightMax: 16,
      onMessage: ({ data, subject }) => {
        handed.push(data)
        return subject === 'segue.stream.old' ? old : unfinished
      },
    })
    await publishNumbers(sender, 'segue.stream.old', upTo(2))
    await waitFor(() => handed.length === 1)
    await server.restart({ wipe: true })
    await waitFor(() => receiver.state() === 'connected' && sender.state() === 'connected', { timeoutMs: 10_000 })
    await publishNumbers(sender, 'segue.stream.new', [10, 11])
    await waitFor(() => numbers(handed.map((data) => ({ data }) as Message)).includes(10), { timeoutMs: 10_000 })

    endOld()
    await waitFor(() => handed.length === 3)

    const administrator = await connect({ servers: new URL(server.url).host })
    const manager = await administrator.jetstreamManager()
    expect(await manager.consumers.info('SEGUE_FACTS', 'holds')).toMatchObject({ num_ack_pending: 2 })
    endNew()
    await waitFor(async () => (await manager.consumers.info('SEGUE_FACTS', 'holds')).num_ack_pending === 0)
    await administrator.close()
    expect(numbers(handed.map((data) => ({ data }) as Message))).toEqual([0, 10, 1, 11])
  })

  test('while the server is away publishing fails at once, and succeeds with the same id afterwards', async () => {
    const client = await connectClient()
    const messages = await collectFrom(client, 'segue.health.>')
    const states: string[] = []
    client.onState((state) => states.push(state))
    await server.kill()
    await waitFor(() => client.state() === 'disconnected')

    const error = await failure(client.publish('segue.health.a', { number: 0 }, { id: 'sample-0' }))
    expect(error).toBeInstanceOf(TransportUnavailable)
    expect(String(error)).toContain(new URL(server.url).host)
    expect(await failure(client.request('segue.command.a', {}, 5_000))).toBeInstanceOf(TransportUnavailable)
    client.broadcast('segue.heartbeat.a', {})

    await server.start()
    await waitFor(() => client.state() === 'connected', { timeoutMs: 10_000 })
    await client.publish('segue.health.a', { number: 0 }, { id: 'sample-0' })
    await client.publish('segue.health.a', { number: 0 }, { id: 'sample-0' })
    await waitFor(() => messages.length > 0, { timeoutMs: 10_000 })

    expect(numbers(messages)).toEqual([0])
    expect(states).toEqual(['disconnected', 'connected'])
  })

  test('a consumer that somebody deleted is made again', async () => {
    const client = await connectClient()
    const messages = await collectFrom(client, 'segue.stream.>', 'to-be-deleted')
    const administrator = await connect({ servers: new URL(server.url).host })
    const manager = await administrator.jetstreamManager()

    await manager.consumers.delete('SEGUE_FACTS', 'to-be-deleted')
    await publishNumbers(client, 'segue.stream.s', upTo(3))

    await waitFor(() => messages.length >= 3, { timeoutMs: 10_000 })
    expect(distinct(messages)).toEqual(upTo(3))
    await administrator.close()
  })

  test('the logs have their limits, and get them again when somebody changed them', async () => {
    await connectClient()
    const administrator = await connect({ servers: new URL(server.url).host })
    const manager = await administrator.jetstreamManager()
    await manager.streams.update('SEGUE_HEALTH', { max_bytes: 1_000 })

    await connectClient()

    const { config } = await manager.streams.info('SEGUE_HEALTH')
    expect(config).toMatchObject({
      storage: 'file',
      discard: 'old',
      max_bytes: 64 * 1_048_576,
      max_age: 3_600e9,
      duplicate_window: 120e9,
    })
    await administrator.close()
  })

  test('what is not JSON becomes a dead letter and holds up nothing', async () => {
    const client = await connectClient()
    const letters = await collectFrom(client, 'segue.deadletter')
    const messages = await collectFrom(client, 'segue.stream.>')
    const other = await connect({ servers: new URL(server.url).host })
    other.publish('segue.stream.s', '{"half": ')
    await other.flush()
    await publishNumbers(client, 'segue.stream.s', [1])

    await waitFor(() => letters.length === 1 && messages.length === 1)

    expect(letters[0]?.data).toEqual({
      subject: 'segue.stream.s',
      reason: 'the message is not JSON',
      data: '{"half": ',
      at: expect.any(Number),
    })
    expect(numbers(messages)).toEqual([1])
    await other.close()
  })

  test('a process that connects before the server is up waits for it', async () => {
    await server.kill()
    const connecting = connectClient()

    await server.start()

    await publishNumbers(await connecting, 'segue.stream.s', [0])
  })
})

describe('connecting in vain', () => {
  test('fails after the time given, naming the server but not the password', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as AddressInfo
    await new Promise((resolve) => holder.close(resolve))

    const error = await failure(
      connectNats({ url: `nats://admin:secret@127.0.0.1:${port}`, name: 'test', connectWaitMs: 300 }),
    )

    expect(error).toBeInstanceOf(TransportUnavailable)
    expect(String(error)).toContain(`nats://127.0.0.1:${port} within 300 ms`)
    expect(String(error)).not.toContain('secret')
  })

  test('an address that is none is refused without repeating it', async () => {
    const error = await failure(connectNats({ url: 'http://admin:secret@localhost', name: 'test' }))

    expect(error).toBeInstanceOf(RangeError)
    expect(String(error)).toContain('must look like nats://host:4222')
    expect(String(error)).not.toContain('secret')
  })
})
