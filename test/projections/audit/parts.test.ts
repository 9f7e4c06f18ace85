import { ruleBook } from '../../../src/actors/index.js'
import { derivedId, type EventStore, type RecordedEvent } from '../../../src/events/index.js'
import { createMemoryStore } from '../../../src/events/stores/memory/index.js'
import { auditLog, type AuditResult } from '../../../src/projections/index.js'
import { auditedInParts } from '../../support/auditedInParts.js'
import { appendAll, goldenEvents, keeperOf, newSigner } from '../../support/ledgeredLog.js'

/** A log that breaks off while a handover is under way. */
const brokenOff = (): ReadonlyArray<RecordedEvent> => {
  const events = goldenEvents('operator')
  const started = events.findIndex(({ type }) => type === 'HandoverStarted')
  return events.slice(
    0,
    events.findIndex(({ metadata }, index) => index > started && metadata.kind === 'fact'),
  )
}

/** Viewers that come at these times, in milliseconds after the newest event. */
const viewersAt = (
  events: ReadonlyArray<RecordedEvent>,
  times: ReadonlyArray<number>,
): ReadonlyArray<RecordedEvent> => {
  const connected = events.find(({ type }) => type === 'ClientConnected')
  if (connected === undefined) throw new Error('nobody watched')
  const newestAt = Math.max(...events.map(({ metadata }) => metadata.occurredAt))
  return times.map((afterMs) => {
    const occurredAt = newestAt + afterMs
    const id = derivedId(occurredAt, 'late viewer')
    return { ...connected, id, streamId: `client-late${afterMs}`, metadata: { ...connected.metadata, occurredAt } }
  })
}

/** Audited in order, and in two parts. */
async function audited(events: ReadonlyArray<RecordedEvent>): Promise<readonly [AuditResult, AuditResult | null]> {
  const store: EventStore = createMemoryStore()
  const signer = newSigner()
  const keeper = keeperOf(store, { signer })
  await appendAll(store, events)
  await keeper.close()
  const options = { book: ruleBook, trusted: [signer.privateKey] }
  return [await auditLog(store, options), await auditedInParts(store, options, 2)]
}

const hour = 3_600_000

describe('a handover under way, in a log that is audited in parts', () => {
  it('is not late when nobody at all was there in the meantime', async () => {
    const events = brokenOff()
    const [inOrder, inParts] = await audited([...events, ...viewersAt(events, [hour])])
    expect(inOrder.sound).toBe(true)
    expect(inParts).toEqual(inOrder)
  })

  it('is late when others went on, whatever part they are in', async () => {
    const events = brokenOff()
    const everyTwoSeconds = Array.from({ length: 120 }, (_, index) => 2_000 * (index + 1))
    const [inOrder, inParts] = await audited([...events, ...viewersAt(events, everyTwoSeconds)])
    expect(inOrder.findings).toMatchObject([{ check: 'endings' }])
    expect(inParts).toEqual(inOrder)
  })
})
