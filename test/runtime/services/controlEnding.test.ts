import { once } from 'node:events'
import { createServer } from 'node:http'
import { endControl } from '../../../src/runtime/services/controlEnding.js'
import { scheduleRetention } from '../../../src/runtime/retention/index.js'
import { keeperOf } from '../../support/ledgeredLog.js'
import { SimulatedClock } from '../../support/simulatedClock.js'
import { appendAll, eventsOf } from '../../support/smallLog.js'
import { midnight, shortlyOverMidnight, twoDays, type TwoDays } from '../../support/twoDays.js'

const dayMs = 86_400_000

let world: TwoDays
beforeEach(async () => {
  world = await twoDays()
})
afterEach(() => world.remove())

/** Retention that has begun an archive and gets no further. */
async function stuckRetention() {
  const { store, folder, signer } = world
  const clock = new SimulatedClock(midnight + dayMs)
  const keeper = keeperOf(store, { signer })
  let begun: () => void = () => undefined
  const isBegun = new Promise<void>((resolve) => (begun = resolve))
  const retention = scheduleRetention({
    ...{ store, keeper, dir: folder, olderThanMs: dayMs },
    clock: { now: clock.now, after: (ms, run) => clock.setTimer(run, ms) },
    logger: { info: () => undefined, warn: () => undefined },
    beforeCut: () => {
      begun()
      return new Promise(() => undefined)
    },
  })
  await isBegun
  return { retention, keeper }
}

describe('the end of a control plane', () => {
  it('does not wait for an archive that takes long: its port is closed, and the last checkpoint written', async () => {
    const { store } = world
    const { retention, keeper } = await stuckRetention()
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const control = {
      close: async () => {
        await appendAll(store, shortlyOverMidnight().slice(0, 1))
        server.close()
        await once(server, 'close')
      },
    }
    await endControl({ retention, control, ledger: keeper, archiveMsMax: 10 })
    expect(server.listening).toBe(false)
    const [late, checkpoint] = (await eventsOf(store)).slice(-2)
    expect(late?.streamId).not.toBe('ledger')
    expect(checkpoint?.streamId).toBe('ledger')
  })

  it('waits for an archive that is about to end', async () => {
    const ended: string[] = []
    const part = (name: string) => ({ close: () => Promise.resolve(void ended.push(name)) })
    const retention = { close: () => new Promise<void>((resolve) => setImmediate(resolve)).then(part('archive').close) }
    await endControl({ retention, control: part('control'), ledger: part('ledger') })
    expect(ended.toSorted()).toEqual(['archive', 'control', 'ledger'])
  })
})
