import { createLanes, retryDelayMs, type Delivery, type LanesOptions } from '../../src/messaging/lanes.js'
import type { Message } from '../../src/messaging/index.js'

/** Time that passes only when the test says so. */
function simulatedTime() {
  let nowMs = 0
  let tasks: Array<{ readonly atMs: number; readonly run: () => void }> = []
  // Promises settle between two turns of the event loop.
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    schedule: (run: () => void, delayMs: number) => {
      const task = { atMs: nowMs + delayMs, run }
      tasks.push(task)
      return () => void (tasks = tasks.filter((other) => other !== task))
    },
    settle,
    /** Timers that are set. */
    waiting: () => tasks.length,
    pass: async (ms: number) => {
      const untilMs = nowMs + ms
      for (;;) {
        await settle()
        const [next] = tasks.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)
        if (next === undefined) break
        tasks = tasks.filter((task) => task !== next)
        nowMs = next.atMs
        next.run()
      }
      nowMs = untilMs
    },
  }
}

function openLanes(options: Partial<LanesOptions> & Pick<LanesOptions, 'onMessage'>) {
  const time = simulatedTime()
  const log: string[] = []
  const lanes = createLanes({ schedule: time.schedule, ...options })
  const delivery = (key: number, subject = 'segue.stream.s'): Delivery => ({
    key,
    subject,
    data: key,
    redeliveries: 0,
    acknowledge: () => void log.push(`ack ${key}`),
    extend: () => void log.push(`extend ${key}`),
    giveBack: () => void log.push(`give back ${key}`),
  })
  return { time, log, lanes, delivery }
}

test('a handler that never ends counts as failed, and its subject goes on', async () => {
  const handed: Message[] = []
  const { time, log, lanes, delivery } = openLanes({
    handlerMsMax: 1_000,
    onMessage: (message) => {
      handed.push(message)
      return handed.length === 1 ? new Promise(() => {}) : Promise.resolve()
    },
  })
  lanes.take(delivery(1))
  lanes.take(delivery(2))

  await time.pass(999)
  expect(log).toEqual([])
  await time.pass(1 + retryDelayMs(1))

  expect(log).toEqual(['ack 1', 'ack 2'])
  expect(handed.map(({ data, redeliveries }) => [data, redeliveries])).toEqual([
    [1, 0],
    [1, 1],
    [2, 0],
  ])
})

test('pauses between tries grow to five seconds', () => {
  expect([1, 2, 3, 4, 5, 6, 100].map(retryDelayMs)).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000])
})

test('a failing subject does not hold up the others', async () => {
  const { time, log, lanes, delivery } = openLanes({
    onMessage: async ({ subject }) => {
      if (subject === 'bad') throw new Error('never')
    },
  })

  lanes.take(delivery(1, 'bad'))
  lanes.take(delivery(2, 'good'))
  await time.pass(60_000)

  expect(log).toEqual(['ack 2'])
})

test('what is held is extended, whether it is handled or waits its turn', async () => {
  const { time, log, lanes, delivery } = openLanes({ extendEveryMs: 1_500, onMessage: () => new Promise(() => {}) })
  lanes.take(delivery(1))
  lanes.take(delivery(2))

  await time.pass(3_000)

  expect(log).toEqual(['extend 1', 'extend 2', 'extend 1', 'extend 2'])
})

test('no timer is kept while nothing is held, and what comes then is extended again', async () => {
  let endFirst = (): void => undefined
  const ended = new Promise<void>((resolve) => {
    endFirst = resolve
  })
  const { time, log, lanes, delivery } = openLanes({
    extendEveryMs: 1_500,
    onMessage: ({ data }) => (data === 1 ? ended : new Promise(() => {})),
  })
  expect(time.waiting()).toBe(0)
  lanes.take(delivery(1))
  endFirst()
  await time.pass(1_500)
  expect(time.waiting()).toBe(0)

  lanes.take(delivery(2))
  await time.pass(1_500)

  expect(log).toEqual(['ack 1', 'extend 2'])
})

test('a message that is held already is not taken a second time', async () => {
  const handed: unknown[] = []
  const { time, lanes, delivery } = openLanes({ onMessage: async ({ data }) => void handed.push(data) })

  lanes.take(delivery(1))
  lanes.take(delivery(1))
  await time.settle()

  expect(handed).toEqual([1])
})

test('after the broker lost its log a new message of an old number is handled and answered, the old one not answered', async () => {
  const handed: unknown[] = []
  let endOld = (): void => undefined
  const old = new Promise<void>((resolve) => (endOld = resolve))
  const { time, log, lanes, delivery } = openLanes({
    extendEveryMs: 1_500,
    onMessage: async ({ data }) => {
      handed.push(data)
      if (data === 'old 1') await old
    },
  })
  const of = (log: string, key: number): Delivery => {
    const { acknowledge, extend, ...rest } = delivery(key)
    const told = (what: string) => () => record.push(`${what} ${log} ${key}`)
    return { ...rest, data: `${log} ${key}`, storedAt: log, acknowledge: told('ack'), extend: told('extend') }
  }
  const record = log
  lanes.take(of('old', 1))
  lanes.take(of('old', 2))

  lanes.take(of('new', 1))
  lanes.take(of('new', 1))
  await time.pass(1_500)
  endOld()
  await time.settle()
  await lanes.close()

  expect(handed).toEqual(['old 1', 'old 2', 'new 1'])
  expect(log).toEqual(['extend new 1', 'extend old 2', 'ack old 2', 'ack new 1'])
})

test('closing gives back what waits, also during a pause, and takes nothing more', async () => {
  const { time, log, lanes, delivery } = openLanes({
    onMessage: async () => {
      throw new Error('not now')
    },
  })
  lanes.take(delivery(1))
  lanes.take(delivery(2))
  await time.pass(10)

  await lanes.close()
  lanes.take(delivery(3))

  expect(log).toEqual(['give back 1', 'give back 2', 'give back 3'])
})
