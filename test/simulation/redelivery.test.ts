import * as E from 'fp-ts/lib/Either.js'
import type { RecordedEvent, SegueEvent } from '../../src/events/index.js'
import { SimulatedBroker } from '../../src/simulation/world/broker.js'
import { SimulatedLog } from '../../src/simulation/world/log.js'
import { Network } from '../../src/simulation/world/network.js'
import { SimulatedProcess } from '../../src/simulation/world/process.js'
import { Random } from '../../src/simulation/world/random.js'
import { calmStore, createStoreClient } from '../../src/simulation/world/storeClient.js'
import { VirtualTime } from '../../src/simulation/world/virtualTime.js'

describe('the simulated broker', () => {
  /** A broker with a consumer that never gets done with what is said of `stuck`. */
  async function given() {
    const time = new VirtualTime(0)
    const network = new Network(time, new Random('network'))
    const nobody = { redelivered: () => undefined, acknowledged: () => undefined }
    const broker = new SimulatedBroker(new SimulatedProcess('broker', time), network, time, nobody)
    const control = new SimulatedProcess('control', time)
    const taken: unknown[] = []
    const consume = (): void => {
      control.start()
      const onMessage = async ({
        subject,
        data,
      }: {
        readonly subject: string
        readonly data: unknown
      }): Promise<void> => {
        taken.push(data)
        if (subject.endsWith('stuck')) await new Promise(() => undefined)
      }
      void broker
        .connect(control)
        .consume({ ...{ durable: 'd', subject: 'segue.stream.>', inFlightMax: 9 }, onMessage })
    }
    broker.start()
    consume()
    const ingest = new SimulatedProcess('ingest', time)
    ingest.start()
    const transport = broker.connect(ingest)
    let published = 0
    const pass = (ms: number): Promise<void> => time.run(time.now() + ms, () => false)
    const publish = (entity: string): void => {
      published += 1
      void transport.publish(`segue.stream.${entity}`, published, { id: `m${published}` })
    }
    for (const entity of ['done', 'stuck', 'done']) {
      publish(entity)
      await pass(50)
    }
    return { broker, control, consume, taken, publish, pass }
  }

  it('hands whoever takes over everything from the first message on that is not acknowledged', async () => {
    const { control, consume, taken, pass } = await given()
    expect(taken).toEqual([1, 2, 3])
    control.crash()
    consume()
    await pass(500)
    expect(taken).toEqual([1, 2, 3, 2, 3])
  })

  it('hands what comes after its restart out behind what came before', async () => {
    const { broker, control, consume, taken, publish, pass } = await given()
    broker.crash()
    control.crash()
    consume()
    broker.start()
    publish('done')
    await pass(1_000)
    expect(taken).toEqual([1, 2, 3, 2, 3, 4])
  })
})

describe('the simulated log', () => {
  const event = (id: string): SegueEvent =>
    ({ id, type: 'T', schemaVersion: 1, data: {}, metadata: { kind: 'fact', occurredAt: 1 } }) as unknown as SegueEvent

  function given(isForgetful: boolean) {
    const doubled: RecordedEvent[] = []
    const log = new SimulatedLog({
      ...{ isForgetful, throughJson: false, onAppended: () => undefined },
      onDoubled: (each) => doubled.push(each),
    })
    const time = new VirtualTime(0)
    const process = new SimulatedProcess('control', time)
    const client = () => {
      process.crash()
      process.start()
      const told = { crash: () => undefined, onConfirmed: () => undefined, onStandstill: () => undefined }
      return createStoreClient({ ...{ log, process, time, weather: calmStore() }, ...told })
    }
    return { client, doubled }
  }

  it.each([
    [false, 0],
    [true, 1],
  ])('that is forgetful (%s) takes an id again in another life of its client', async (isForgetful, times) => {
    const { client, doubled } = given(isForgetful)
    await client().append('stream-a', [event('e1')], { expected: 'none' })()
    await client().append('stream-a', [event('e1')], { expected: 0 })()
    expect(doubled).toHaveLength(times)
  })

  it('that is forgetful knows a repeat, and what the same client has written', async () => {
    const { client, doubled } = given(true)
    const one = client()
    await one.append('stream-a', [event('e1')], { expected: 'none' })()
    expect(await one.append('stream-a', [event('e1')], { expected: 0 })()).toEqual(E.left(expect.anything()))
    expect(await client().append('stream-a', [event('e1')], { expected: 'none' })()).toMatchObject({
      right: { repeated: true },
    })
    expect(doubled).toEqual([])
  })
})
