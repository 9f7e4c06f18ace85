import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ruleBook } from '../../../src/actors/index.js'
import type { EventStore } from '../../../src/events/index.js'
import { historyOf, withArchive } from '../../../src/events/stores/archive/index.js'
import { auditLog } from '../../../src/projections/index.js'
import { archivesToAudit } from '../../../src/runtime/logs/audit.js'
import { eventsOf } from '../../support/smallLog.js'
import { archiveBefore, midnight, ofEntities, twoDays, type TwoDays } from '../../support/twoDays.js'

const dayMs = 86_400_000
const name = '2026-03-02T000000Z'
let world: TwoDays
beforeEach(async () => {
  world = await twoDays()
})
afterEach(() => world.remove())

/** The log, of which the first reading of everything waits. */
function halting(store: EventStore): {
  readonly log: EventStore
  readonly halted: Promise<void>
  readonly go: () => void
} {
  let [reached, go]: [() => void, () => void] = [() => undefined, () => undefined]
  const halted = new Promise<void>((resolve) => (reached = resolve))
  const going = new Promise<void>((resolve) => (go = resolve))
  const log: EventStore = {
    ...store,
    async *readAll(options) {
      if (options?.filter !== undefined) {
        reached()
        await going
      }
      yield* store.readAll(options)
    },
  }
  return { log, halted, go: () => go() }
}

const archiveNames = async (): Promise<ReadonlyArray<string>> =>
  (await readdir(world.folder)).filter((file) => file.endsWith('.json'))

describe('two runs of retention at once', () => {
  test('never work on one folder: the second says who does, and one archive comes of it', async () => {
    const { store, signer, folder, before } = world
    const { log, halted, go } = halting(store)
    const first = archiveBefore(log, signer, folder, midnight)
    await halted
    await expect(archiveBefore(store, signer, folder, midnight)).rejects.toThrow(
      new RegExp(`^process ${process.pid} on .+ \\(since 2026-03-03T00:00:00.000Z\\) is archiving to ${folder}: wait`),
    )
    go()
    await first
    expect(await archiveNames()).toEqual([`${name}.json`])
    expect(ofEntities(await eventsOf(await withArchive(store, folder)))).toEqual(before)

    await archiveBefore(store, signer, folder, midnight + dayMs)
    expect(await archiveNames()).toHaveLength(2)
  })

  test('a folder whose holder was killed is free', async () => {
    const { store, signer, folder } = world
    const driver = createRequire(import.meta.url).resolve('better-sqlite3')
    const script = `new (require(${JSON.stringify(driver)}))(process.argv[1]).exec('BEGIN EXCLUSIVE'); console.log('held'); setInterval(() => {}, 1000)`
    const holder = spawn(process.execPath, ['-e', script, join(folder, 'retention.lock')])
    await once(holder.stdout, 'data')
    await expect(archiveBefore(store, signer, folder, midnight)).rejects.toThrow(
      `another process is archiving to ${folder}`,
    )
    holder.kill('SIGKILL')
    await once(holder, 'exit')

    expect((await archiveBefore(store, signer, folder, midnight)).archives).toHaveLength(1)
  })
})

describe('an archive of what another archive of the folder holds already', () => {
  const double = async (change: (text: string) => string = (text) => text): Promise<void> => {
    const text = await readFile(join(world.folder, `${name}.json`), 'utf8')
    await writeFile(
      join(world.folder, `${name}-2.json`),
      change(text.replace(`"name": "${name}"`, `"name": "${name}-2"`)),
    )
  }

  const findingsWithArchives = async () => {
    const log = await withArchive(world.store, world.folder)
    const archives = await archivesToAudit(world.folder)
    return (await auditLog(log, { book: ruleBook, trusted: [world.signer.privateKey], archives })).findings
  }

  test('counts as done, and retention goes on', async () => {
    const { store, signer, folder, before } = world
    await world.archive()
    await double()
    const { archives } = await archiveBefore(store, signer, folder, midnight + dayMs)

    expect(archives.map(({ description }) => description.name)).toEqual(['2026-03-03T000000Z'])
    const whole = await withArchive(store, folder)
    expect(ofEntities(await eventsOf(whole))).toEqual(before)
    expect(await findingsWithArchives()).toEqual([])
  })

  test('is of another log when its events are others', async () => {
    await world.archive()
    await double((text) => text.replace(/"chain": "../, '"chain": "zz'))
    expect(await findingsWithArchives()).toMatchObject([
      { check: 'archive', message: expect.stringContaining('is not the one that the ledger names') },
    ])
    await expect(world.archive()).rejects.toThrow('does not belong to this log')
  })
})

test('a run reads the history of a stream once, however many archives there are', async () => {
  const { store, signer, folder, servers } = world
  await archiveBefore(store, signer, folder, midnight - 60_000, { olderThanMs: 1_000 })
  await archiveBefore(store, signer, folder, midnight - 30_000, { olderThanMs: 1_000 })
  await world.archive()
  const histories = await Promise.all(servers.map((stream) => historyOf(store, stream)))
  expect(Math.max(...histories.map((each) => each.length))).toBeGreaterThan(1)

  const reads: string[] = []
  const counting: EventStore = {
    ...store,
    readStream: (streamId, options) => {
      if (streamId.startsWith('retention-')) reads.push(streamId)
      return store.readStream(streamId, options)
    },
  }
  await world.archive(midnight + dayMs, counting)
  expect(reads.toSorted()).toEqual(servers.map((stream) => `retention-${stream}`))
})
