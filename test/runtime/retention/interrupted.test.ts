import { join } from 'node:path'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { ruleBook } from '../../../src/actors/index.js'
import { historyOf, withArchive } from '../../../src/events/stores/archive/index.js'
import type { EventStore } from '../../../src/events/index.js'
import { auditLog } from '../../../src/projections/index.js'
import { archivesToAudit } from '../../../src/runtime/logs/audit.js'
import { scheduleRetention } from '../../../src/runtime/retention/index.js'
import { keeperOf } from '../../support/ledgeredLog.js'
import { SimulatedClock } from '../../support/simulatedClock.js'
import { eventsOf } from '../../support/smallLog.js'
import {
  archiveBefore,
  isOlder,
  ledgered,
  midnight,
  ofEntities,
  shortlyOverMidnight,
  twoDays,
  type TwoDays,
} from '../../support/twoDays.js'
import { waitFor } from '../../support/waitFor.js'

const dayMs = 86_400_000
let world: TwoDays
afterEach(() => world.remove())

describe('a process that is killed while it archives', () => {
  /** Fails when it is used for the nth time; before the work is done, or when it has been. */
  function failing(log: EventStore, nth: number, when: 'before' | 'after'): EventStore {
    let uses = 0
    const use = async <T>(work: () => Promise<T>): Promise<T> => {
      uses += 1
      if (uses === nth && when === 'before') throw new Error('killed')
      const result = await work()
      if (uses === nth) throw new Error('killed')
      return result
    }
    return {
      ...log,
      append: (streamId, events, options) => () => use(log.append(streamId, events, options)),
      truncateBefore: (streamId, cut) => use(() => log.truncateBefore(streamId, cut)),
    }
  }

  const auditWith = async (log: EventStore, dir: string) => {
    const whole = await withArchive(log, dir)
    const archives = await archivesToAudit(dir)
    return (await auditLog(whole, { book: ruleBook, trusted: [world.signer.privateKey], archives })).findings
  }

  test.each(['before', 'after'] as const)(
    '%s any write to the log is followed by one that completes it',
    async (when) => {
      const short = shortlyOverMidnight()
      world = await twoDays(short)
      const { before, folder, signer, servers } = world
      let killed = 0
      for (let nth = 1; ; nth += 1) {
        const log = await ledgered(short, signer)
        const dir = join(folder, String(nth))
        const dying = failing(log, nth, when)
        const outcome = await archiveBefore(dying, signer, dir, midnight).catch((error: Error) => error)
        const last = !(outcome instanceof Error)
        if (!last) killed += 1
        expect(await auditWith(log, dir)).toEqual([])
        await archiveBefore(log, signer, dir, midnight)
        const whole = await withArchive(log, dir)

        expect(ofEntities(await eventsOf(log))).toEqual(before.filter((event) => !isOlder(event)))
        expect(ofEntities(await eventsOf(whole))).toEqual(before)
        expect(await auditWith(log, dir)).toEqual([])
        expect(await historyOf(log, servers[0] ?? '')).toHaveLength(1)
        if (last) break
      }
      expect(killed).toBeGreaterThanOrEqual(6)
    },
  )

  test('in the middle of an archive leaves the log as it was, and the next writes the archive anew', async () => {
    world = await twoDays()
    const { store, before, folder, signer, archive } = world
    const dying: EventStore = {
      ...store,
      async *readAll(options) {
        let left = 400
        for await (const event of store.readAll(options)) {
          left -= 1
          if (left < 0) throw new Error('killed')
          yield event
        }
      },
    }
    await expect(archiveBefore(dying, signer, folder, midnight)).rejects.toThrow('killed')
    expect(ofEntities(await eventsOf(store))).toEqual(before)

    await archive()
    expect(ofEntities(await eventsOf(await withArchive(store, folder)))).toEqual(before)
  })
})

describe('a control plane that archives by itself', () => {
  test('does so when it starts and from time to time, and says what', async () => {
    world = await twoDays()
    const { store, folder, signer } = world
    const clock = new SimulatedClock(midnight + dayMs)
    const said: string[] = []
    const keeper = keeperOf(store, { signer })
    const retention = scheduleRetention({
      ...{ store, keeper, dir: folder, olderThanMs: dayMs, everyMs: dayMs },
      clock: { now: clock.now, after: (ms, run) => clock.setTimer(run, ms) },
      logger: { info: (text) => void said.push(text), warn: (text) => void said.push(text) },
    })
    await waitFor(() => clock.pendingTimers > 0)
    expect(said).toEqual([expect.stringMatching(/^retention: archived \d+ events of 3 servers as 2026-03-02T000000Z$/)])

    await clock.advance(dayMs)
    await waitFor(() => said.length > 1)
    await retention.close()
    await keeper.close()
    expect(said[1]).toContain('2026-03-03T000000Z')
  })

  test('asked to end in the middle of an archive, does so at once and leaves nothing behind', async () => {
    world = await twoDays()
    const { store, before, folder, signer, archive } = world
    let taken = 0
    const counting: EventStore = {
      ...store,
      async *readAll(options) {
        for await (const event of store.readAll(options)) {
          if (options?.filter !== undefined) taken += 1
          yield event
        }
      },
    }
    const result = await archiveBefore(counting, signer, folder, midnight, { isStopping: () => taken >= 100 })
    expect(result).toEqual({ archives: [], events: 0 })
    expect(taken).toBe(100)
    expect(ofEntities(await eventsOf(store))).toEqual(before)
    const left = await readdir(folder, { recursive: true })
    expect(left.filter((name) => /\.(json|parquet|part)$/.test(name))).toEqual([])

    await archive()
    expect(ofEntities(await eventsOf(await withArchive(store, folder)))).toEqual(before)
  })

  test('tells what is in its way, and tries again', async () => {
    world = await twoDays()
    const { store, folder, signer } = world
    const said: string[] = []
    const clock = new SimulatedClock(midnight + dayMs)
    await writeFile(join(folder, 'x.json'), '{}')
    const keeper = keeperOf(store, { signer })
    const retention = scheduleRetention({
      ...{ store, keeper, dir: folder, olderThanMs: dayMs },
      clock: { now: clock.now, after: (ms, run) => clock.setTimer(run, ms) },
      logger: { info: (text) => void said.push(text), warn: (text) => void said.push(text) },
    })
    await waitFor(() => clock.pendingTimers > 0)
    expect(said).toEqual([expect.stringContaining('is not the description of an archive')])

    await rm(join(folder, 'x.json'))
    await clock.advance(3_600_000)
    await waitFor(() => said.length > 1)
    await retention.close()
    await keeper.close()
    expect(said[1]).toContain('archived')
  })
})
