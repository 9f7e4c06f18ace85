import { ruleBook } from '../../../src/actors/index.js'
import { derivedId } from '../../../src/events/ids.js'
import { keyIdOf } from '../../../src/events/integrity/index.js'
import type { RecordedEvent } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { auditLog } from '../../../src/projections/index.js'
import { startLedgerKeeper } from '../../../src/runtime/ledger/index.js'
import { appendAll, goldenEvents, newSigner, read } from '../../support/ledgeredLog.js'
import { SimulatedClock } from '../../support/simulatedClock.js'
import { waitFor } from '../../support/waitFor.js'

const everyMs = 10_000
const perStream = 500

/** Many events, of streams of their own making. */
function manyEvents(count: number): ReadonlyArray<RecordedEvent> {
  const [sample] = goldenEvents('operator')
  if (sample === undefined) throw new Error('the history is empty')
  return Array.from({ length: count }, (_, index) => {
    const streamId = `server-${Math.floor(index / perStream)}`
    const revision = index % perStream
    return { ...sample, streamId, revision, id: derivedId(1, 'made-up', streamId, revision) }
  })
}

/** A keeper whose key cannot be used until it is. */
function keeperWithout() {
  const signer = newSigner()
  const store = createMemoryStore()
  const clock = new SimulatedClock(1_800_000_000_000)
  const warnings: string[] = []
  let [usable, asked] = [false, 0]
  const keeper = startLedgerKeeper({
    ...{ store, everyMs },
    clock: { now: clock.now, after: (ms, run) => clock.setTimer(run, ms) },
    signer: async () => {
      asked += 1
      if (!usable) throw new Error('the key cannot be read')
      return signer
    },
    isOurs: async (key) => key === keyIdOf(signer.privateKey),
    logger: { info: () => undefined, warn: (message) => void warnings.push(message) },
  })
  return { ...{ signer, store, clock, keeper, warnings }, asked: () => asked, mend: () => (usable = true) }
}

describe('a keeper whose key cannot be used', () => {
  test('says so now and then, and goes on when it can be', async () => {
    const { signer, store, clock, keeper, warnings, asked, mend } = keeperWithout()
    await appendAll(store, manyEvents(25_000))
    await waitFor(() => asked() > 0)
    for (let round = 0; round < 3; round += 1) await clock.advance(everyMs)
    expect(new Set(warnings)).toEqual(new Set(['integrity ledger: the key cannot be read; trying again']))
    expect(warnings.length).toBeLessThanOrEqual(4)
    expect(asked()).toBeLessThanOrEqual(5)

    mend()
    await clock.advance(everyMs)
    await keeper.close()
    const { findings, ...audited } = await auditLog(store, { book: ruleBook, trusted: [signer.privateKey] })
    expect(findings.filter(({ check }) => ['ledger', 'signatures', 'chains'].includes(check))).toEqual([])
    expect(audited.ledger).toMatchObject({ checkpoints: 2, unsigned: 0 })
  }, 60_000)

  test('can be closed, and loses nothing by it', async () => {
    const { store, keeper, warnings, asked } = keeperWithout()
    await appendAll(store, manyEvents(21_000))
    await waitFor(() => asked() > 0)
    await keeper.close()
    expect(await read(store.readStream('ledger'))).toEqual([])
    expect(warnings.length).toBeLessThanOrEqual(2)
  }, 60_000)
})
