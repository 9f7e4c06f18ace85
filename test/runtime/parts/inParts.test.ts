import { copyFile, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { sqliteAt } from '../../../src/events/stores/index.js'
import { openSqliteStore, rangesOfLog } from '../../../src/events/stores/sqlite/index.js'
import { auditOfParts, verdictOfParts, type AuditResult, type ReplayVerdict } from '../../../src/projections/index.js'
import { inParts, type InPartsOptions } from '../../../src/runtime/parts/index.js'
import { auditStore } from '../../../src/runtime/logs/audit.js'
import { examineLog, replayStore } from '../../../src/runtime/logs/replay.js'
import { ledgeredLog } from '../../support/ledgeredLog.js'

// The threads run what was compiled last, as the writing thread of the store does.
const twoThreads: InPartsOptions = { threadsMax: 2, eventsMin: 1 }

let folder = ''
let trusted: Awaited<ReturnType<typeof ledgeredLog>>['trusted'] = []
const whole = (): string => join(folder, 'events.sqlite')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segue-parts-'))
  const store = await openSqliteStore({ path: whole() })
  trusted = (await ledgeredLog('operator', store)).trusted
  await store.close()
})
afterAll(() => rm(folder, { recursive: true }))

const audited = (path: string) => inParts(sqliteAt(path), 'audit', { trusted, anchors: [] }, twoThreads)
const replayed = (path: string) => inParts(sqliteAt(path), 'replay', null, twoThreads)

/** A copy of the log in which somebody has been at work. */
async function changed(name: string, sql: string): Promise<string> {
  await mkdir(join(folder, name))
  const path = join(folder, name, 'events.sqlite')
  await copyFile(whole(), path)
  const db = new Database(path)
  db.exec('DROP TRIGGER events_are_final')
  db.exec(sql)
  db.close()
  return path
}

describe('a log that two threads read at once', () => {
  it('is cut between streams, about in the middle', async () => {
    const { events, ranges } = await rangesOfLog(whole(), 2)
    const [first, second] = ranges
    expect(ranges).toHaveLength(2)
    expect(first).toMatchObject({ from: null, before: second?.from })
    expect(second?.before).toBeNull()
    const store = await openSqliteStore({ path: whole(), readOnly: true })
    let ofFirst = 0
    for await (const _ of store.readAll({ filter: { streams: first ?? { from: null, before: null } } })) ofFirst += 1
    await store.close()
    expect(ofFirst / events).toBeGreaterThan(0.25)
    expect(ofFirst / events).toBeLessThan(0.75)
  })

  it('gives the verdict of a replay in order', async () => {
    const parts = await replayed(whole())
    const { verdict, events } = await examineLog(sqliteAt(whole()))
    expect(parts).toHaveLength(2)
    expect(verdictOfParts((parts ?? []).map((part): ReplayVerdict => part.verdict))).toEqual(verdict)
    expect((parts ?? []).reduce((sum, part) => sum + part.events, 0)).toBe(events)
    expect(verdict.identical).toBe(true)
  })

  it('gives the result of an audit in order', async () => {
    const parts = await audited(whole())
    const inOrder = await auditStore({ log: sqliteAt(whole()), trusted, anchors: [] })
    const store = await openSqliteStore({ path: whole(), readOnly: true })
    const result: AuditResult | null = await auditOfParts(store, parts ?? [])
    await store.close()
    expect(result).toEqual(inOrder)
    expect(inOrder.sound).toBe(true)
  })

  it('is left to whoever reads it in order when a decision is another one', async () => {
    const path = await changed(
      'decided',
      `UPDATE events SET data = json_set(data, '$.cutover', 7) WHERE type = 'CutoverChosen'`,
    )
    expect(await replayed(path)).toBeNull()
    expect(await audited(path)).toBeNull()
    expect((await replayStore(sqliteAt(path))).verdict.difference).toMatchObject({ streamId: 'stream-a' })
    expect((await auditStore({ log: sqliteAt(path), trusted, anchors: [] })).sound).toBe(false)
  })

  it('is left to whoever reads it in order when rules are not known', async () => {
    const path = await changed(
      'newer',
      `UPDATE events SET metadata = json_set(metadata, '$.actorVersion', 99) WHERE stream LIKE 'server-%' AND revision > 3`,
    )
    expect(await replayed(path)).toBeNull()
    expect((await replayStore(sqliteAt(path))).verdict.unreadable).toContain(
      'decided by version 99 of the server rules',
    )
  })

  it('is left to whoever reads it in order when a thread cannot work', async () => {
    const path = await changed('models', '')
    await mkdir(join(folder, 'models', 'models'))
    await writeFile(join(folder, 'models', 'models', `${'0'.repeat(64)}.bin`), 'no model')
    expect(await replayed(path)).toBeNull()
    await expect(replayStore(sqliteAt(path))).rejects.toThrow('its bytes are not those that its name says')
  })

  it('says what is wrong with a damaged file', async () => {
    const path = await changed('damaged', `UPDATE events SET data = '{' WHERE type = 'CutoverChosen'`)
    expect(await replayed(path)).toBeNull()
    await expect(replayStore(sqliteAt(path))).rejects.toThrow(/stream-a, event \d+, is damaged/)
    const file = await open(path, 'r+')
    await file.write(Buffer.alloc(4_096, 0xff), 0, 4_096, 8_192)
    await file.close()
    await expect(replayStore(sqliteAt(path))).rejects.toMatchObject({ _tag: 'StoreCorrupt' })
  })
})

describe('a log is read by one', () => {
  it.each([
    ['where there is one processor', { threadsMax: 1, eventsMin: 1 }],
    ['when it is short', { threadsMax: 2 }],
  ])('%s', async (_, options) => {
    expect(await inParts(sqliteAt(whole()), 'replay', null, options)).toBeNull()
  })

  it('when it is no file', async () => {
    expect(await inParts({ type: 'memory' }, 'replay', null, twoThreads)).toBeNull()
  })
})
