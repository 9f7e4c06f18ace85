import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { FileJournal } from '../../src/media/feed/index.js'
import { startIngest, type Ingest, type IngestState } from '../../src/runtime/ingest.js'
import { formatOf } from '../media/support.js'
import { waitFor } from '../support/waitFor.js'

const format = formatOf()
const patience = { timeoutMs: 15_000 }

describe('the folder of an ingest', () => {
  let dataDir = ''
  let open: Ingest[] = []
  let states: IngestState[] = []

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'segue-ingest-folder-'))
    open = []
    states = []
  })
  afterEach(async () => {
    await Promise.all(open.map((ingest) => ingest.close()))
    rmSync(dataDir, { recursive: true, force: true })
  })

  const start = async (stream = 'one', port = 0): Promise<Ingest> => {
    const ingest = await startIngest({ stream, format, port, dataDir, onState: (state) => states.push(state) })
    open.push(ingest)
    return ingest
  }
  const portOf = ({ url }: Ingest): number => Number(new URL(url).port)
  const airs = async (ingest: Ingest, ms: number): Promise<number> => {
    const from = ingest.info().liveTicks ?? 0
    await waitFor(() => (ingest.info().liveTicks ?? 0) > from + ms * 90, patience)
    return ingest.info().liveTicks ?? 0
  }
  /** Where a run that begins now would go on. */
  const keptUntil = (): number | undefined => {
    const kept = new FileJournal({ dataDir, stream: 'one', onTrouble: () => undefined }).load()
    return E.isRight(kept) ? kept.right?.blocks.at(-1)?.endTicks : undefined
  }

  it.each([['on the same port'], ['on another port']])(
    'is for one alone: a second ingest of the stream %s is refused, and the first one is kept whole',
    async (where) => {
      const first = await start()
      await airs(first, 500)

      await expect(start('one', where === 'on the same port' ? portOf(first) : 0)).rejects.toMatchObject({
        _tag: 'FeedInUse',
        message: expect.stringMatching(`^process ${process.pid} on .+ has the feed of "one" in ${dataDir} on air`),
      })

      await airs(first, 1_000)
      await first.close()
      expect(keptUntil()).toBe(first.info().liveTicks)
    },
  )

  it('is left as it is by an ingest whose port is taken', async () => {
    const first = await start()
    await airs(first, 500)
    await first.close()
    const other = await start('two')
    const left = keptUntil()

    await expect(start('one', portOf(other))).rejects.toMatchObject({ _tag: 'AddressInUse' })

    expect(keptUntil()).toBe(left)
    const next = await start()
    await airs(next, 500)
    expect(keptUntil()).toBeGreaterThan(left ?? Infinity)
  })

  it('may be that of other streams as well', async () => {
    const [one, two] = await Promise.all([start('one'), start('two')])
    await Promise.all([airs(one, 200), airs(two, 200)])
  })

  it('does without a lock, and says so, where none can be made', async () => {
    writeFileSync(join(dataDir, 'ingest-one.lock'), 'no database')
    chmodSync(join(dataDir, 'ingest-one.lock'), 0o444)
    await airs(await start(), 200)

    expect(states).toContainEqual({ type: 'notice', message: expect.stringContaining('cannot be locked') })
  })
})
