import {
  NoResponder,
  RemoteFailure,
  TransportUnavailable,
  type ConsumeOptions,
  type Message,
  type Transport,
} from '../../src/messaging/index.js'
import { waitFor } from '../support/waitFor.js'
import { numbers, publishNumbers, unique, upTo } from './numberedMessages.js'
import { describeRefusedSubjects } from './refusedSubjects.js'

export * from './numberedMessages.js'

export interface BrokerUnderTest {
  /** A new client of the one broker. */
  readonly connect: (name: string) => Promise<Transport>
  readonly dispose: () => Promise<void>
}

/** What every transport must do. `start` gives a broker that is shared by all tests. */
export function describeTransport(name: string, start: () => Promise<BrokerUnderTest>): void {
  describe(name, () => {
    let broker: BrokerUnderTest
    let clients: Transport[] = []
    let stream = ''
    beforeAll(async () => {
      broker = await start()
    })
    afterAll(() => broker.dispose())
    beforeEach(() => {
      stream = unique('segue.stream.s')
    })
    afterEach(async () => {
      await Promise.all(clients.map((client) => client.close()))
      clients = []
    })
    const connect = async () => {
      const client = await broker.connect('contract')
      clients.push(client)
      return client
    }
    const consume = async (client: Transport, options: Partial<ConsumeOptions> = {}) => {
      const messages: Message[] = []
      const consumer = await client.consume({
        durable: unique('durable'),
        subject: stream,
        inFlightMax: 16,
        onMessage: async (message) => void messages.push(message),
        ...options,
      })
      return { messages, consumer }
    }

    describeRefusedSubjects(connect)

    describe('durable messages', () => {
      test('reach a consumer of another client, in order', async () => {
        const [sender, receiver] = [await connect(), await connect()]
        const { messages } = await consume(receiver)

        await publishNumbers(sender, stream, upTo(100))

        await waitFor(() => messages.length >= 100)
        expect(numbers(messages)).toEqual(upTo(100))
        expect(messages[0]).toEqual({ subject: stream, data: { number: 0 }, redeliveries: 0 })
      })

      test('published before anybody consumed are delivered too', async () => {
        const client = await connect()
        await publishNumbers(client, stream, upTo(5))

        const { messages } = await consume(client)

        await waitFor(() => messages.length >= 5)
        expect(numbers(messages)).toEqual(upTo(5))
      })

      test('carry any JSON', async () => {
        const client = await connect()
        const { messages } = await consume(client)
        const data = { text: 'ü€😀', list: [1, 0.5, null, true, { deep: [] }] }

        await client.publish(stream, data, { id: unique('id') })

        await waitFor(() => messages.length === 1)
        expect(messages[0]?.data).toEqual(data)
      })

      test('with the same id are stored once', async () => {
        const [client, other] = [await connect(), await connect()]
        const { messages } = await consume(client)
        const id = unique('id')

        await client.publish(stream, { number: 1 }, { id })
        await other.publish(stream, { number: 1 }, { id })
        await client.publish(stream, { number: 2 }, { id: unique('id') })

        await waitFor(() => messages.length >= 2)
        expect(numbers(messages)).toEqual([1, 2])
      })

      test('are not handed over while publish is still running the caller', async () => {
        const client = await connect()
        const log: string[] = []
        await consume(client, { onMessage: async () => void log.push('handled') })

        const published = client.publish(stream, {}, { id: unique('id') })
        log.push('called')
        await published
        await waitFor(() => log.length === 2)

        expect(log).toEqual(['called', 'handled'])
      })

      test('of many subjects reach a consumer of all of them, each in its order', async () => {
        const client = await connect()
        const [durable, prefix] = [unique('durable'), unique('segue.client.c')]
        const messages: Message[] = []
        await consume(client, {
          durable,
          subject: `${prefix}.>`,
          onMessage: async (message) => {
            // Some subjects are slower than others.
            if (message.subject.endsWith('0')) await new Promise((resolve) => setTimeout(resolve, 2))
            messages.push(message)
          },
        })

        await Promise.all(upTo(4).map((index) => publishNumbers(client, `${prefix}.${index}`, upTo(25))))

        await waitFor(() => messages.length >= 100)
        for (const index of upTo(4)) {
          expect(numbers(messages.filter(({ subject }) => subject === `${prefix}.${index}`))).toEqual(upTo(25))
        }
      })

      test('of one subject are handled one after the other, those of others side by side', async () => {
        const client = await connect()
        const prefix = unique('segue.client.c')
        let inside: string[] = []
        let sawTwoSubjects = false
        let sawOneTwice = false
        let handled = 0
        await consume(client, {
          subject: `${prefix}.>`,
          onMessage: async ({ subject }) => {
            inside.push(subject)
            sawTwoSubjects ||= new Set(inside).size > 1
            sawOneTwice ||= new Set(inside).size < inside.length
            await new Promise((resolve) => setTimeout(resolve, 5))
            inside = inside.filter((other) => other !== subject)
            handled += 1
          },
        })

        await Promise.all(['a', 'b'].map((name) => publishNumbers(client, `${prefix}.${name}`, upTo(10))))

        await waitFor(() => handled === 20)
        expect({ sawTwoSubjects, sawOneTwice }).toEqual({ sawTwoSubjects: true, sawOneTwice: false })
      })

      test('are not handed out beyond the number allowed in flight', async () => {
        const client = await connect()
        const prefix = unique('segue.client.c')
        let inside = 0
        let insideMax = 0
        let handled = 0
        await consume(client, {
          subject: `${prefix}.>`,
          inFlightMax: 3,
          onMessage: async () => {
            inside += 1
            insideMax = Math.max(insideMax, inside)
            await new Promise((resolve) => setTimeout(resolve, 2))
            inside -= 1
            handled += 1
          },
        })

        await Promise.all(upTo(30).map((index) => publishNumbers(client, `${prefix}.${index}`, [0])))

        await waitFor(() => handled === 30)
        expect(insideMax).toBe(3)
      })

      test('whose handler rejects are delivered again, and those behind them wait', async () => {
        const client = await connect()
        const attempts: Array<readonly [unknown, number]> = []
        await consume(client, {
          onMessage: async (message) => {
            attempts.push([numbers([message])[0], message.redeliveries])
            if (message.redeliveries === 0 && numbers([message])[0] === 1) throw new Error('not now')
          },
        })

        await publishNumbers(client, stream, upTo(4))

        await waitFor(() => attempts.length >= 5)
        expect(attempts).toEqual([
          [0, 0],
          [1, 0],
          [1, 1],
          [2, 0],
          [3, 0],
        ])
      })

      test('that were acknowledged stay so for a durable name; the rest comes to its next consumer', async () => {
        const first = await connect()
        const durable = unique('durable')
        const before: Message[] = []
        await consume(first, {
          durable,
          inFlightMax: 1,
          onMessage: async (message) => {
            if (numbers([message])[0] === 3) throw new Error('stop here')
            before.push(message)
          },
        })
        await publishNumbers(first, stream, upTo(6))
        await waitFor(() => before.length === 3)
        await first.close()

        const { messages } = await consume(await connect(), { durable })

        await waitFor(() => messages.length >= 3)
        expect(numbers(before)).toEqual([0, 1, 2])
        expect(numbers(messages)).toEqual([3, 4, 5])
      })

      test('reach each durable name', async () => {
        const client = await connect()
        const [a, b] = [await consume(client), await consume(client)]

        await publishNumbers(client, stream, upTo(3))

        await waitFor(() => a.messages.length >= 3 && b.messages.length >= 3)
        expect([numbers(a.messages), numbers(b.messages)]).toEqual([upTo(3), upTo(3)])
      })

      test('are not delivered to a consumer that was closed, which waits for what it handles', async () => {
        const client = await connect()
        const log: unknown[] = []
        let letGo: (() => void) | undefined
        const { consumer } = await consume(client, {
          onMessage: async (message) => {
            await new Promise<void>((resolve) => (letGo = resolve))
            log.push(...numbers([message]))
          },
        })
        await publishNumbers(client, stream, upTo(2))
        await waitFor(() => letGo !== undefined)

        const closing = consumer.close().then(() => log.push('closed'))
        letGo?.()
        await closing
        const after = await consume(client)
        await waitFor(() => after.messages.length >= 2)

        expect(log).toEqual([0, 'closed'])
      })

      test('need a durable subject and a usable name', async () => {
        const client = await connect()

        await expect(client.publish('segue.notice.s', {}, { id: '1' })).rejects.toThrow('not durable')
        await expect(consume(client, { subject: 'segue.notice.>' })).rejects.toThrow('not durable')
        await expect(consume(client, { durable: 'two words' })).rejects.toThrow('durable name')
      })

      test('larger than a broker takes are a mistake of the caller', async () => {
        const client = await connect()

        const publishing = client.publish(stream, 'x'.repeat(1_048_576), { id: unique('id') })

        await expect(publishing).rejects.toThrow(RangeError)
      })
    })

    describe('broadcasts', () => {
      test('reach everybody who listens', async () => {
        const [sender, a, b] = [await connect(), await connect(), await connect()]
        const subject = unique('segue.notice.n')
        const heard: Array<readonly [string, Message]> = []
        a.subscribe(subject, (message) => heard.push(['a', message]))
        b.subscribe('segue.notice.>', (message) => message.subject === subject && heard.push(['b', message]))

        await waitFor(() => {
          // A subscription takes a moment to reach the broker.
          sender.broadcast(subject, { number: 1 })
          return new Set(heard.map(([who]) => who)).size === 2
        })

        expect(heard[0]?.[1]).toEqual({ subject, data: { number: 1 }, redeliveries: 0 })
      })

      test('reach nobody who has closed the subscription', async () => {
        const client = await connect()
        const subject = unique('segue.notice.n')
        const [closed, open]: [Message[], Message[]] = [[], []]
        const subscription = client.subscribe(subject, (message) => closed.push(message))
        client.subscribe(subject, (message) => open.push(message))
        await subscription.close()

        await waitFor(() => {
          client.broadcast(subject, {})
          return open.length > 0
        })

        expect(closed).toEqual([])
      })
    })

    describe('requests', () => {
      const command = () => unique('segue.command.c')
      const ready = (client: Transport, subject: string) =>
        waitFor(() => client.request(subject, { ping: true }, 500).then(() => true))

      test('get the answer of the one who serves the subject', async () => {
        const [asker, server] = [await connect(), await connect()]
        const subject = command()
        server.respond(`${subject.slice(0, subject.lastIndexOf('.'))}.>`, async (data, asked) => ({ data, asked }))
        await ready(asker, subject)

        expect(await asker.request(subject, { number: 7 }, 1_000)).toEqual({ data: { number: 7 }, asked: subject })
      })

      test('fail at once when nobody serves the subject', async () => {
        const client = await connect()
        const subject = command()

        const error: unknown = await client.request(subject, {}, 5_000).catch((reason: unknown) => reason)

        expect(error).toBeInstanceOf(NoResponder)
        expect(String(error)).toContain(subject)
      })

      test('fail with the reason of the other side', async () => {
        const client = await connect()
        const subject = command()
        client.respond(subject, async (data) => {
          if (data !== null && typeof data === 'object' && 'ping' in data) return {}
          throw new Error('the encoder\nis on fire')
        })
        await ready(client, subject)

        const error: unknown = await client.request(subject, {}, 1_000).catch((reason: unknown) => reason)

        expect(error).toBeInstanceOf(RemoteFailure)
        expect(String(error)).toMatch(/the encoder\sis on fire/)
      })

      test('fail when no answer comes in time', async () => {
        const client = await connect()
        const subject = command()
        client.respond(subject, (data) =>
          data !== null && typeof data === 'object' && 'ping' in data ? Promise.resolve({}) : new Promise(() => {}),
        )
        await ready(client, subject)

        await expect(client.request(subject, {}, 50)).rejects.toBeInstanceOf(TransportUnavailable)
      })

      test('are not served any more once the responder was closed', async () => {
        const [asker, server] = [await connect(), await connect()]
        const subject = command()
        const responder = server.respond(subject, async () => ({}))
        await ready(asker, subject)

        await responder.close()

        await waitFor(() =>
          asker.request(subject, {}, 500).then(
            () => false,
            (error: unknown) => error instanceof NoResponder,
          ),
        )
      })
    })

    describe('closing', () => {
      test('is told to who listens for it, and makes later calls fail', async () => {
        const client = await connect()
        const states: string[] = [client.state()]
        client.onState((state) => states.push(state))

        await client.close()

        expect(states).toEqual(['connected', 'closed'])
        expect(client.state()).toBe('closed')
        await expect(client.publish(stream, {}, { id: '1' })).rejects.toBeInstanceOf(TransportUnavailable)
        await expect(client.request('segue.command.x', {}, 100)).rejects.toBeInstanceOf(TransportUnavailable)
        await expect(consume(client)).rejects.toBeInstanceOf(TransportUnavailable)
        client.broadcast('segue.notice.s', {})
        await client.close()
      })
    })
  })
}
