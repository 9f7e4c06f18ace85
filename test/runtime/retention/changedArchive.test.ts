import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ruleBook } from '../../../src/actors/index.js'
import type { RecordedEvent } from '../../../src/events/index.js'
import { rowOfEvent, withArchive } from '../../../src/events/stores/archive/index.js'
import { auditLog } from '../../../src/projections/index.js'
import { parquetPart } from '../../../src/runtime/export/parquet.js'
import { archivesToAudit } from '../../../src/runtime/logs/audit.js'
import { archivedEvents } from '../../../src/runtime/retention/tables.js'
import { eventsOf } from '../../support/smallLog.js'
import { flipByte, isOlder, twoDays, type TwoDays } from '../../support/twoDays.js'

describe('an archive that somebody changed', () => {
  const name = '2026-03-02T000000Z'
  let world: TwoDays
  let folder = ''
  beforeEach(async () => {
    world = await twoDays()
    folder = world.folder
    await world.archive()
  })
  afterEach(() => world.remove())

  test.each(['events', 'health_samples', 'assessments'])('is found by an audit: one byte of %s', async (table) => {
    const path = join(folder, table, `${name}.parquet`)
    await flipByte(path)
    const { sound, findings } = await auditArchived()

    expect(sound).toBe(false)
    expect(findings).toMatchObject([{ check: 'archive', message: expect.stringContaining(path) as string }])
  })

  test('is found with the event that was changed, where the file can still be read', async () => {
    const victim = world.before.find((event) => isOlder(event) && event.revision === 20)
    const rows = (await eventsOf(await withArchive(world.store, folder))).filter(isOlder)
    await rewrite(rows.map((event) => (event.id === victim?.id ? { ...event, data: { other: 1 } } : event)))
    const { findings } = await auditArchived()

    expect(findings).toMatchObject([{ check: 'archive', streamId: victim?.streamId, revision: 20 }])
    expect(findings[0]?.message).toContain('this event was changed')
  })

  test('is found when a file is gone', async () => {
    await rm(join(folder, 'assessments', `${name}.parquet`))

    expect((await auditArchived()).findings).toMatchObject([
      { check: 'archive', message: expect.stringMatching(/is gone$/) as string },
    ])
  })

  test('is found when its description was changed with it', async () => {
    const path = join(folder, `${name}.json`)
    await writeFile(path, (await readFile(path, 'utf8')).replace('"through": "', '"through": "0'))
    const { findings } = await auditArchived()

    expect(findings.map(({ check }) => check)).toEqual(['archive', 'archive', 'archive'])
    expect(findings[0]?.message).toContain('is not the one that the ledger names for its cut')
  })

  const auditArchived = async () => {
    const archives = await archivesToAudit(folder)
    const damaged = archives.filter(({ faults }) => faults.length > 0).map(({ sha256 }) => sha256)
    const whole = await withArchive(world.store, folder, ({ sha256 }) => !damaged.includes(sha256))
    return auditLog(whole, { book: ruleBook, trusted: [world.signer.privateKey], archives })
  }

  /** Writes the file of events anew, as somebody does who can write Parquet. */
  async function rewrite(events: ReadonlyArray<RecordedEvent>): Promise<void> {
    const part = parquetPart(join(folder, 'events', `${name}.parquet`), archivedEvents)
    for (const event of events) part.add({ ...rowOfEvent(event) })
    part.finish()
  }
})
