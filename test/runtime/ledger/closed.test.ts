import type { EventStore, RecordedEvent } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { appendAll, goldenEvents, keeperOf, newSigner, read } from '../../support/ledgeredLog.js'

const signer = newSigner()
const events = goldenEvents('operator')

const ledgerOf = (store: EventStore): Promise<ReadonlyArray<RecordedEvent>> => read(store.readStream('ledger'))

describe('a keeper that was closed', () => {
  test('cuts nothing more, for no checkpoint comes before it', async () => {
    const store = createMemoryStore()
    await appendAll(store, events)
    const keeper = keeperOf(store, { signer })
    await keeper.close()
    const before = await ledgerOf(store)
    expect(before).toHaveLength(1)
    const cut = keeper.cut({ stream: events[0]?.streamId ?? '', revision: 1, states: null, archive: null })
    await expect(cut).rejects.toThrow('the ledger is not kept any more')
    expect(await ledgerOf(store)).toEqual(before)
  })
})
