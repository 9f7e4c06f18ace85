import type { EventStore } from '../../../src/events/index.js'
import { replayLog } from '../../../src/runtime/logs/replay.js'
import { askStore } from '../../../src/runtime/logs/whatIf.js'
import { rowsOfStore } from '../../../src/runtime/training/trainFromLog.js'
import { cutWhileRead, twoDays, type TwoDays } from '../../support/twoDays.js'
import { streamed } from '../../golden/histories.js'

/** A log that is cut while it is read says what it says once it was cut: nothing follows from what is missing of it. */

let world: TwoDays
let disturbed: EventStore
beforeEach(async () => {
  world = await twoDays()
  // given a log that is cut off when the reader is about in the middle of what goes
  disturbed = cutWhileRead(world, 100)
})
afterEach(() => world.remove())

/** What is said of a log while it is cut, and afterwards. */
const both = async <T>(say: (log: EventStore) => Promise<T>): Promise<readonly [T, T]> => {
  const meanwhile = await say(disturbed)
  expect((await world.store.cuts()).size).toBe(3)
  return [meanwhile, await say(world.store)]
}

test('a replay finds it identical', async () => {
  const server = world.servers.at(-1) ?? ''
  const [{ verdict }] = await both((log) => replayLog(log))
  expect(verdict).toMatchObject({ identical: true, difference: null, unreadable: null })
  expect((await replayLog(cutWhileRead(await again(), 20), { stream: server })).verdict.identical).toBe(true)
})

const again = async (): Promise<TwoDays> => {
  await world.remove()
  world = await twoDays()
  return world
}

test('what-if begins where it begins, and with the state there', async () => {
  const [meanwhile, after] = await both((log) => askStore(log, { alternatives: [{ name: 'as it was', policy: {} }] }))
  expect(meanwhile).toEqual(after)
  expect(meanwhile.archived).toHaveLength(3)
})

test('what-if never begins in the middle with the state of a new server', async () => {
  const [server] = world.servers
  const ofServer = world.before.filter(({ streamId }) => streamId === server)
  const cutAway: EventStore = { ...world.store, readAll: () => streamed(ofServer.slice(5)) }
  await expect(askStore(cutAway, { alternatives: [{ name: 'as it was', policy: {} }] })).rejects.toMatchObject({
    _tag: 'BeginningMissing',
    message: expect.stringContaining(`${server} begins with event 5`),
  })
})

test('a log that is cut each time is given up', async () => {
  let looks = 0
  const restless: EventStore = {
    ...world.store,
    cuts: () => Promise.resolve(new Map([['server-s1', { revision: ++looks, ledgerRevision: 0 }]])),
  }
  await expect(rowsOfStore(restless)).rejects.toThrow('cut each time while it was read')
})
