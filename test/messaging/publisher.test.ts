import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createMemoryBus, type MemoryBus } from '../../src/messaging/memory/index.js'
import { connectNats } from '../../src/messaging/nats/index.js'
import { SpoolUnavailable, type Fifo, type SpooledMessage } from '../../src/messaging/fifo.js'
import type { Message, Transport } from '../../src/messaging/index.js'
import { createPublishLane } from '../../src/messaging/publishLane.js'
import { createPublisher, type Publisher, type PublisherOptions } from '../../src/messaging/publisher.js'
import { createSpool, type Spool, type SpoolOptions } from '../../src/messaging/spool.js'
import { numbers, upTo } from '../contracts/transportContract.js'
import { hasNatsServer, startNatsServer } from '../support/natsServer.js'
import { describeUnless, testUnless } from '../support/skip.js'
import { waitFor } from '../support/waitFor.js'

let dir = ''
let bus: MemoryBus
let transport: Transport
let closing: Array<() => Promise<void>> = []
beforeEach(async () => {
  // A second spool of the same name goes beside it.
  dir = join(await mkdtemp(join(tmpdir(), 'segue-publisher-')), 'spool')
  await mkdir(dir)
  bus = createMemoryBus()
  transport = bus.connect('publisher')
})
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
  await rm(dirname(dir), { recursive: true, force: true })
})

interface Opened {
  readonly publisher: Publisher
  readonly spool: Spool
  readonly dropped: SpooledMessage[]
  readonly close: () => Promise<void>
}
async function openPublisher(
  options: Partial<PublisherOptions> = {},
  spoolOptions: Partial<SpoolOptions> = {},
): Promise<Opened> {
  const spool = await createSpool({ dir, ...spoolOptions })
  const dropped: SpooledMessage[] = []
  const publisher = createPublisher({ transport, spool, onDropped: (message) => dropped.push(message), ...options })
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await publisher.close()
    await spool.close()
  }
  closing.push(close)
  return { publisher, spool, dropped, close }
}

async function listen(client: Transport, suffix = ''): Promise<Message[]> {
  const messages: Message[] = []
  for (const subject of ['segue.health.>', 'segue.stream.>']) {
    const durable = `${subject.includes('health') ? 'samples' : 'facts'}${suffix}`
    await client.consume({
      durable,
      subject,
      inFlightMax: 64,
      onMessage: async (message) => void messages.push(message),
    })
  }
  return messages
}
const of = (subject: string, messages: ReadonlyArray<Message>) =>
  numbers(messages.filter((message) => message.subject === subject))
const publishAll = (publisher: Publisher, subject: string, list: ReadonlyArray<number>) =>
  Promise.all(list.map((number) => publisher.publish(subject, { number }, { id: `${subject}-${number}` })))

test('with a broker messages are sent at once, in order per subject', async () => {
  const { publisher } = await openPublisher()
  const messages = await listen(bus.connect('listener'))

  const outcomes = await Promise.all([
    publishAll(publisher, 'segue.health.a', upTo(200)),
    publishAll(publisher, 'segue.stream.s', upTo(200)),
    publishAll(publisher, 'segue.stream.t', upTo(200)),
  ])

  await waitFor(() => messages.length === 600)
  expect(new Set(outcomes.flat())).toEqual(new Set(['sent']))
  for (const subject of ['segue.health.a', 'segue.stream.s', 'segue.stream.t']) {
    expect(of(subject, messages)).toEqual(upTo(200))
  }
})

test('without a broker messages wait on disk, and are sent in order when it is back', async () => {
  const { publisher } = await openPublisher()
  const messages = await listen(bus.connect('listener'))
  await publishAll(publisher, 'segue.stream.s', upTo(10))
  bus.interrupt()

  const outcomes = await publishAll(publisher, 'segue.stream.s', upTo(200).slice(10))
  expect(new Set(outcomes)).toEqual(new Set(['spooled']))
  bus.resume()
  await publisher.drained()

  await waitFor(() => messages.length >= 200)
  expect(of('segue.stream.s', messages)).toEqual(upTo(200))
})

test('what is published while the disk is being emptied keeps its place', async () => {
  const { publisher } = await openPublisher()
  const messages = await listen(bus.connect('listener'))
  bus.interrupt()
  await publishAll(publisher, 'segue.stream.s', upTo(300))
  bus.resume()

  for (const number of upTo(600).slice(300)) {
    await publisher.publish('segue.stream.s', { number }, { id: `s-${number}` })
  }
  await publisher.drained()

  await waitFor(() => messages.length >= 600)
  expect(of('segue.stream.s', messages)).toEqual(upTo(600))
})

test('more than may wait in memory goes through the disk, in order', async () => {
  const { publisher, dropped } = await openPublisher({ queueMax: 10 })
  const messages = await listen(bus.connect('listener'))

  for (const from of upTo(20)) {
    // As much as queue and disk take together in one go.
    await publishAll(publisher, 'segue.stream.s', upTo(from * 15 + 15).slice(from * 15))
  }
  await publisher.drained()

  await waitFor(() => messages.length >= 300)
  expect(of('segue.stream.s', messages)).toEqual(upTo(300))
  expect(dropped).toEqual([])
})

test('what one process left on disk is sent by the next one, first', async () => {
  bus.interrupt()
  const first = await openPublisher()
  await publishAll(first.publisher, 'segue.health.a', upTo(5))
  await first.close()
  bus.resume()
  const messages = await listen(bus.connect('listener'))

  const second = await openPublisher()
  await publishAll(second.publisher, 'segue.health.a', [5, 6])
  await second.publisher.drained()

  await waitFor(() => messages.length >= 7)
  expect(of('segue.health.a', messages)).toEqual(upTo(7))
})

test('closing puts on disk what the broker has not confirmed', async () => {
  const never: Transport = { ...transport, publish: () => new Promise(() => {}), state: () => 'disconnected' }
  const { publisher, spool, close } = await openPublisher({ transport: never })

  const publishing = publishAll(publisher, 'segue.stream.s', upTo(3))
  await publisher.close()

  expect(await publishing).toEqual(['spooled', 'spooled', 'spooled'])
  expect(await spool.facts.peek(10)).toHaveLength(3)
  await close()
  expect(await publisher.publish('segue.stream.s', {}, { id: 'late' })).toBe('dropped')
})

test('a message that no broker takes is dropped and told, and holds up nothing', async () => {
  const { publisher, dropped } = await openPublisher()
  const messages = await listen(bus.connect('listener'))

  const outcomes = await Promise.all([
    publisher.publish('segue.stream.s', { number: 0 }, { id: '0' }),
    publisher.publish('segue.stream.s', 'x'.repeat(2_000_000), { id: 'big' }),
    publisher.publish('segue.stream.s', { number: 1 }, { id: '1' }),
  ])

  expect(outcomes).toEqual(['sent', 'dropped', 'sent'])
  expect(dropped.map(({ id }) => id)).toEqual(['big'])
  await waitFor(() => messages.length === 2)
})

test('facts are kept when samples beyond the limit are dropped', async () => {
  const { publisher, spool, dropped } = await openPublisher({}, { bytesMax: 2_000 })
  const messages = await listen(bus.connect('listener'))
  bus.interrupt()
  for (const number of upTo(100)) {
    await publishAll(publisher, 'segue.health.a', [number])
    await publishAll(publisher, 'segue.stream.s', [number])
  }

  bus.resume()
  await publisher.drained()

  const samplesKept = 100 - spool.samples.dropped()
  await waitFor(() => messages.length >= 100 + samplesKept)
  expect(of('segue.stream.s', messages)).toEqual(upTo(100))
  expect(of('segue.health.a', messages)).toEqual(upTo(100).slice(-samplesKept))
  expect(samplesKept).toBeLessThan(100)
  expect(dropped).toEqual([])
})

test('what a server tells of itself once is kept although its samples are dropped', async () => {
  const { publisher, spool } = await openPublisher({}, { bytesMax: 2_000 })
  const messages = await listen(bus.connect('listener'))
  bus.interrupt()
  await publisher.publish('segue.health.a', { type: 'ServerJoined', number: -1 }, { id: 'joined' })
  for (const number of upTo(100)) {
    await publisher.publish('segue.health.a', { type: 'HealthSampled', number }, { id: `sample-${number}` })
  }

  bus.resume()
  await publisher.drained()

  await waitFor(() => messages.length >= 101 - spool.samples.dropped())
  const told = messages.map(({ data }) => data as { readonly type: string })
  expect(told.filter(({ type }) => type === 'ServerJoined')).toHaveLength(1)
  expect(spool.samples.dropped()).toBeGreaterThan(0)
})

test.each([
  { code: 'ENOSPC', cleared: [5] },
  { code: 'EDQUOT', cleared: [5] },
  { code: 'EMFILE', cleared: [] },
  { code: 'EIO', cleared: [] },
])('samples give way to facts that a disk does not take for want of space alone ($code)', async ({ code, cleared }) => {
  const spool = await createSpool({ dir })
  closing.push(spool.close)
  let tries = 0
  const refuse = () => {
    tries += 1
    const cause = Object.assign(new Error(code), { code })
    return Promise.reject(new SpoolUnavailable('the spool cannot be used', { cause }))
  }
  const told: number[] = []
  const { publisher, close } = await openPublisher({
    spool: { ...spool, facts: { ...spool.facts, append: refuse, prepend: refuse } },
    onCleared: (samples) => told.push(samples),
  })
  bus.interrupt()
  await publishAll(publisher, 'segue.health.a', upTo(5))

  void publisher.publish('segue.stream.s', {}, { id: 'fact' })

  await waitFor(() => tries > cleared.length)
  expect(told).toEqual(cleared)
  expect(await spool.samples.peek(10)).toHaveLength(cleared.length > 0 ? 0 : 5)
  await close()
})

test('order is kept when a nearly full disk takes the older messages and not the newer ones', async () => {
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  const disk: SpooledMessage[] = []
  const asked: Array<{ readonly what: string; readonly answer: (takes: boolean) => void }> = []
  let slow = true
  const take = async (what: string, put: () => void) => {
    const takes = !slow || (await new Promise<boolean>((answer) => asked.push({ what, answer })))
    if (!takes) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    put()
  }
  const answerNext = async (what: string, takes: boolean) => {
    const next = asked.shift()
    expect(next?.what).toBe(what)
    next?.answer(takes)
    await settled()
  }
  const fifo: Fifo = {
    append: (messages) => take('append', () => disk.push(...messages)),
    prepend: (messages) => take('prepend', () => disk.unshift(...messages)),
    peek: async (max) => disk.slice(0, max),
    shift: async (gone) => void disk.splice(0, gone.length),
    clear: async () => undefined,
    bytes: () => disk.length,
    isEmpty: () => disk.length === 0,
    dropped: () => 0,
    close: async () => undefined,
  }
  const sent: string[] = []
  let lose: ((error: Error) => void) | undefined
  const losing: Transport = {
    ...transport,
    publish: async (_subject, _data, { id }) => {
      if (slow) await new Promise((_resolve, reject) => (lose = reject))
      sent.push(id)
    },
  }
  const lane = createPublishLane({
    ...{ transport: losing, fifo, queueMax: 2, onDropped: () => undefined, makeRoom: async () => undefined },
    schedule: (task) => {
      const soon = setImmediate(task)
      return () => clearImmediate(soon)
    },
  })
  const publish = (id: string) => void lane.publish({ subject: 'segue.stream.s', id, data: {} })
  for (const id of ['0', '1', '2', '3']) publish(id)
  await settled()
  await answerNext('append', false)
  // While the newer ones are tried a second time, the broker does not take the older ones: they are to go to disk as well.
  lose?.(new Error('no answer'))
  await settled()
  await answerNext('append', false)
  await answerNext('prepend', true)

  slow = false
  asked.splice(0).forEach(({ answer }) => answer(true))
  await lane.drained()
  await lane.close()

  expect(sent).toEqual(['0', '1', '2', '3'])
})

const mounts = process.platform === 'linux' && process.getuid?.() === 0
const facts = 220
const onFullDisk = (title: string, queueMax: number, expectLost: (lost: number) => void): void =>
  testUnless(!mounts && 'only root on Linux can mount a small disk', title, async () => {
    const disk = join(dir, 'small')
    await mkdir(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk])
    try {
      const { publisher, spool, dropped, close } = await openPublisher({ queueMax }, { dir: disk })
      const messages = await listen(bus.connect('listener'))
      const text = 'x'.repeat(3_000)
      bus.interrupt()
      const outcomes: Promise<string>[] = []
      // What waits in memory has no outcome before the broker is back.
      const publish = async (subject: string, number: number): Promise<void> => {
        const outcome = publisher.publish(subject, { number, text }, { id: `${subject}-${number}` })
        outcomes.push(outcome)
        await Promise.race([outcome, new Promise((resolve) => setTimeout(resolve, 20))])
      }
      for (const number of upTo(60)) await publish('segue.health.a', number)
      for (const number of upTo(facts)) await publish('segue.stream.s', number)

      bus.resume()
      await publisher.drained()

      const lost = dropped.filter(({ subject }) => subject === 'segue.stream.s').length
      expect(spool.samples.dropped()).toBeGreaterThan(0)
      expectLost(lost)
      expect((await Promise.all(outcomes)).filter((outcome) => outcome === 'dropped')).toHaveLength(dropped.length)
      await waitFor(() => of('segue.stream.s', messages).length === facts - lost)
      expect(of('segue.stream.s', messages)).toEqual(upTo(facts - lost))
      await close()
    } finally {
      execFileSync('umount', ['-l', disk])
    }
  })

onFullDisk('on a full disk samples give way to facts, and facts that do not fit wait in memory', 1_000, (lost) => {
  expect(lost).toBe(0)
})
onFullDisk('facts that neither a full disk nor the memory set aside for them takes are told', 2, (lost) => {
  expect(lost).toBeGreaterThan(0)
})

describeUnless(!hasNatsServer && 'nats-server is not installed', 'with a real nats-server', () => {
  test('everything arrives once and in order, whatever the server does meanwhile', async () => {
    const server = await startNatsServer()
    closing.push(server.stop)
    const [sender, receiver] = [
      await connectNats({ url: server.url, name: 'sender' }),
      await connectNats({ url: server.url, name: 'receiver' }),
    ]
    closing.push(sender.close, receiver.close)
    const { publisher, dropped } = await openPublisher({ transport: sender })
    const messages = await listen(receiver)
    const subjects = ['segue.health.a', 'segue.stream.s', 'segue.stream.t']
    const outcomes = new Set<string>()
    let next = 0
    const publishSome = async (count: number) => {
      const list = upTo(next + count).slice(next)
      next += count
      for (const subject of subjects)
        for (const outcome of await publishAll(publisher, subject, list)) outcomes.add(outcome)
    }

    await publishSome(50)
    const publishing = publishSome(50)
    await server.kill()
    await publishing
    await publishSome(50)
    await server.start()
    await publishSome(50)
    await publisher.drained()
    await server.restart()
    await publishSome(50)
    await publisher.drained()

    await waitFor(() => distinct(messages).size === subjects.length * next, { timeoutMs: 15_000 })
    // What a killed server had not yet written down as acknowledged is handed out again; stored it is only once.
    const stored = await listen(receiver, '-anew')
    await waitFor(() => stored.length >= subjects.length * next)
    for (const subject of subjects) expect(of(subject, stored)).toEqual(upTo(next))
    expect(outcomes).toEqual(new Set(['sent', 'spooled']))
    expect(dropped).toEqual([])
  }, 40_000)
})

const distinct = (messages: ReadonlyArray<Message>): ReadonlySet<string> =>
  new Set(messages.map(({ subject, data }) => JSON.stringify([subject, data])))
