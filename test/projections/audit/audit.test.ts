import { ruleBook } from '../../../src/actors/index.js'
import { canonicalJson, type EventStore, type RecordedEvent } from '../../../src/events/index.js'
import { eventHash } from '../../../src/events/integrity/index.js'
import { auditLog, type AuditResult } from '../../../src/projections/index.js'
import { evolved } from '../../support/evolvedState.js'
import { auditedInParts } from '../../support/auditedInParts.js'
import {
  appendAll,
  goldenEvents,
  keeperOf,
  ledgeredLog,
  lying,
  newSigner,
  read,
  type LedgeredLog,
} from '../../support/ledgeredLog.js'

/** Audits a log, in order and in parts: wherever the parts have a result, it must be the same. */
async function audit(store: EventStore, { trusted }: Pick<LedgeredLog, 'trusted'>): Promise<AuditResult> {
  const options = { book: ruleBook, trusted }
  const result = await auditLog(store, options)
  for (const count of [1, 2, 3]) {
    const inParts = await auditedInParts(store, options, count)
    if (inParts !== null) expect(inParts).toEqual(result)
    else expect(result.sound).toBe(false)
  }
  return result
}

const firstOf = ({ findings }: AuditResult) => {
  const [first] = findings
  return first === undefined ? null : { check: first.check, streamId: first.streamId, revision: first.revision }
}

/** The event in the middle of a stream. */
const inMiddle = async (store: EventStore, streamId: string): Promise<RecordedEvent> => {
  const events = await read(store.readStream(streamId))
  const event = events[Math.floor(events.length / 2)]
  if (event === undefined) throw new Error(`${streamId} is empty`)
  return event
}

const where = (event: RecordedEvent) => ({ streamId: event.streamId, revision: event.revision })
const isAt = (event: RecordedEvent, other: RecordedEvent, offset = 0): boolean =>
  event.streamId === other.streamId && event.revision === other.revision + offset

describe('a log that nobody has touched', () => {
  it.each(['prediction', 'operator', 'cutover-revoked', 'several-controls', 'real-leak'])(
    'is sound: %s',
    async (name) => {
      const log = await ledgeredLog(name)
      const result = await audit(log.store, log)
      expect(result.findings).toEqual([])
      expect(result).toMatchObject({
        sound: true,
        ledger: { unsigned: 0, checkpoints: 4 },
        replay: { identical: true },
      })
    },
  )

  it('is sound with events that are newer than the last checkpoint, and says how many', async () => {
    const log = await ledgeredLog('prediction')
    const events = await read(log.store.readAll())
    const withoutLast = lying(log.store, (all) => all.filter((event) => event.id !== events.at(-1)?.id))
    expect(await audit(withoutLast, log)).toMatchObject({ sound: true, ledger: { checkpoints: 3 } })
    expect((await audit(withoutLast, log)).ledger.unsigned).toBeGreaterThan(5)
  })
})

describe.each(['stream-a', 'server-s1'])('a log in which somebody changed %s', (streamId) => {
  let log: LedgeredLog
  let victim: RecordedEvent
  beforeAll(async () => {
    log = await ledgeredLog('prediction')
    victim = await inMiddle(log.store, streamId)
  })
  const tampered = (change: (events: ReadonlyArray<RecordedEvent>) => ReadonlyArray<RecordedEvent>) =>
    audit(lying(log.store, change), log)

  it.each([
    ['data', (event: RecordedEvent) => ({ ...event, data: { ...(event.data as object), added: 0 } })],
    [
      'metadata',
      (event: RecordedEvent) => ({
        ...event,
        metadata: { ...event.metadata, occurredAt: event.metadata.occurredAt + 1 },
      }),
    ],
    ['type', (event: RecordedEvent) => ({ ...event, type: `${event.type}x` })],
    ['id', (event: RecordedEvent) => ({ ...event, id: event.id.replace(/.$/, (last) => (last === '0' ? '1' : '0')) })],
    ['schema version', (event: RecordedEvent) => ({ ...event, schemaVersion: 0 })],
  ] as const)('names an event whose %s was changed', async (_what, change) => {
    const result = await tampered((all) => all.map((event) => (isAt(event, victim) ? change(event) : event)))
    expect(firstOf(result)).toEqual({ check: 'chain', ...where(victim) })
  })

  it('names a deleted event', async () => {
    const result = await tampered((all) => all.filter((event) => !isAt(event, victim)))
    expect(firstOf(result)).toEqual({ check: 'chain', ...where(victim) })
  })

  it('names a deleted event behind which the others have moved up', async () => {
    const result = await tampered((all) =>
      all
        .filter((event) => !isAt(event, victim))
        .map((event) =>
          event.streamId === victim.streamId && event.revision > victim.revision
            ? { ...event, revision: event.revision - 1 }
            : event,
        ),
    )
    expect(firstOf(result)).toEqual({ check: 'chain', ...where(victim) })
  })

  it('names an inserted event', async () => {
    const result = await tampered((all) =>
      all.flatMap((event) => {
        if (event.streamId !== victim.streamId || event.revision < victim.revision) return [event]
        const later = { ...event, revision: event.revision + 1 }
        return isAt(event, victim) ? [{ ...event, id: event.id.replace(/^./, 'f') }, later] : [later]
      }),
    )
    expect(firstOf(result)).toEqual({ check: 'chain', ...where(victim) })
  })

  it('names the first of two events that changed places', async () => {
    const events = await read(log.store.readStream(streamId))
    const next = events[victim.revision + 1]
    if (next === undefined) throw new Error('there is nothing behind the event')
    const result = await tampered((all) =>
      all.map((event) =>
        isAt(event, victim)
          ? { ...next, revision: event.revision }
          : isAt(event, next)
            ? { ...victim, revision: event.revision }
            : event,
      ),
    )
    expect(firstOf(result)).toEqual({ check: 'chain', ...where(victim) })
  })

  it('names the first missing event of a stream that was cut off', async () => {
    const result = await tampered((all) =>
      all.filter((event) => event.streamId !== victim.streamId || event.revision < victim.revision),
    )
    expect(firstOf(result)).toEqual({ check: 'chain', ...where(victim) })
  })

  it('names a stream that is gone', async () => {
    const result = await tampered((all) => all.filter((event) => event.streamId !== victim.streamId))
    expect(firstOf(result)).toEqual({ check: 'chain', streamId, revision: 0 })
  })
})

describe('a ledger that somebody changed', () => {
  it('is not believed when the chain was computed anew with another key', async () => {
    const log = await ledgeredLog('prediction')
    // As if it had been written from the beginning by somebody else: consistent in itself.
    const forged = await ledgeredLog('operator')
    const result = await audit(forged.store, log)
    expect(firstOf(result)).toEqual({ check: 'signatures', streamId: 'ledger', revision: 0 })
    expect(result.findings[0]?.message).toContain('which is not trusted here')
  })

  it('is not believed when nobody is trusted', async () => {
    const log = await ledgeredLog('prediction')
    expect(firstOf(await audit(log.store, { trusted: [] }))).toMatchObject({ check: 'signatures' })
  })

  it('names the checkpoint whose signature is not its own', async () => {
    const log = await ledgeredLog('prediction')
    const result = await audit(
      lying(log.store, (all) =>
        all.map((event) => {
          if (event.streamId !== 'ledger' || event.revision !== 3) return event
          const data = event.data as { readonly signed: { readonly signature: string } }
          const signature = data.signed.signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))
          return { ...event, data: { ...data, signed: { ...data.signed, signature } } }
        }),
      ),
      log,
    )
    expect(firstOf(result)).toEqual({ check: 'signatures', streamId: 'ledger', revision: 3 })
  })

  it('names the first checkpoint that somebody without the key went on with', async () => {
    const log = await ledgeredLog('prediction')
    const withData = (event: RecordedEvent, statement: string): RecordedEvent => {
      const data = event.data as { readonly signed: object }
      const signed = { ...data.signed, statement, signature: Buffer.alloc(64).toString('base64') }
      return { ...event, data: { ...data, signed } }
    }
    const statementOf = ({ data }: RecordedEvent) =>
      (data as { readonly signed: { readonly statement: string } }).signed.statement
    const [first, last] = (await read(log.store.readStream('ledger'))).slice(2)
    if (first === undefined || last === undefined) throw new Error('the ledger is too short')
    const forged = withData(first, statementOf(first))
    const previous = eventHash(forged).toString('hex')
    const forgedLast = withData(last, canonicalJson({ ...(JSON.parse(statementOf(last)) as object), previous }))
    const byRevision = new Map([forged, forgedLast].map((event) => [event.revision, event]))
    const result = await audit(
      lying(log.store, (all) =>
        all.map((event) => (event.streamId === 'ledger' ? (byRevision.get(event.revision) ?? event) : event)),
      ),
      log,
    )
    expect(firstOf(result)).toEqual({ check: 'signatures', streamId: 'ledger', revision: 2 })
  })

  it.each([0, 1, 2])('names the event behind a changed one: %i', async (revision) => {
    const log = await ledgeredLog('prediction')
    const result = await audit(
      lying(log.store, (all) =>
        all.map((event) =>
          event.streamId === 'ledger' && event.revision === revision
            ? { ...event, data: { ...(event.data as object), through: '0000000000000009' } }
            : event,
        ),
      ),
      log,
    )
    expect(firstOf(result)).toEqual({ check: 'ledger', streamId: 'ledger', revision: revision + 1 })
  })

  it('names a checkpoint that is missing', async () => {
    const log = await ledgeredLog('prediction')
    const result = await audit(
      lying(log.store, (all) => all.filter((event) => event.streamId !== 'ledger' || event.revision !== 1)),
      log,
    )
    expect(firstOf(result)).toEqual({ check: 'ledger', streamId: 'ledger', revision: 1 })
  })

  it('shows by a kept checkpoint that log and ledger were set back together', async () => {
    const log = await ledgeredLog('prediction')
    const { ledger } = await audit(log.store, log)
    const anchors = ledger.last === null ? [] : [ledger.last.signed]
    expect((await auditLog(log.store, { book: ruleBook, ...log, anchors })).sound).toBe(true)
    const kept = (await read(log.store.readStream('ledger')))[2]
    const setBack = lying(log.store, (all) => all.slice(0, all.findIndex((event) => event.id === kept?.id) + 1))
    expect((await audit(setBack, log)).findings.filter(({ check }) => check === 'ledger')).toEqual([])
    const result = await auditLog(setBack, { book: ruleBook, ...log, anchors })
    expect(firstOf(result)).toEqual({ check: 'ledger', streamId: 'ledger', revision: 3 })
  })

  it('is missed when there is none', async () => {
    const log = await ledgeredLog('prediction')
    const result = await audit(
      lying(log.store, (all) => all.filter((event) => event.streamId !== 'ledger')),
      log,
    )
    expect(firstOf(result)).toEqual({ check: 'ledger', streamId: 'ledger', revision: null })
  })
})

describe('the invariants', () => {
  const edited = async (
    name: string,
    change: (event: RecordedEvent) => RecordedEvent | null,
  ): Promise<ReadonlyArray<string>> => {
    const log = await ledgeredLog(name)
    const result = await audit(
      lying(log.store, (all) => all.flatMap((event) => change(event) ?? [])),
      log,
    )
    return [...new Set(result.findings.map(({ check }) => check))]
  }
  const withData = (event: RecordedEvent, changes: object): RecordedEvent => ({
    ...event,
    data: { ...(event.data as object), ...changes },
  })

  it('see an epoch that is given out twice', async () => {
    const checks = await edited('operator', (event) =>
      event.type === 'CutoverChosen' ? withData(event, { epoch: 1 }) : event,
    )
    expect(checks).toContain('authority')
  })

  it('see a viewer that missed a segment', async () => {
    const checks = await edited('operator', (event) =>
      event.type === 'ViewersMeasured' ? withData(event, { gaps: 1 }) : event,
    )
    expect(checks).toContain('playback')
  })

  it('see two servers that report other hashes for one number', async () => {
    const checks = await edited('real-leak', (event) => {
      if (event.type !== 'BufferStitched') return event
      const { result } = event.data as { readonly result: { readonly hashes: ReadonlyArray<object> } }
      return withData(event, { result: { ...result, hashes: [...result.hashes, { ...result.hashes[0], video: 'x' }] } })
    })
    expect(checks).toContain('playback')
  })

  it('see an event that stands in the log twice', async () => {
    const log = await ledgeredLog('operator')
    const victim = await inMiddle(log.store, 'stream-a')
    const result = await audit(
      lying(log.store, (all) => [...all, { ...victim, streamId: 'stream-b', revision: 0 }]),
      log,
    )
    expect(result.findings.map(({ check }) => check)).toContain('once')
  })

  it('see a decision that the rules would not make', async () => {
    const checks = await edited('operator', (event) =>
      event.type === 'CutoverChosen' ? withData(event, { emergency: true }) : event,
    )
    expect(checks).toContain('replay')
  })

  it('see a handover that never ended', async () => {
    const checks = await edited('operator', (event) => {
      return event.type === 'HandoverCompleted' ? null : event
    })
    expect(checks).toContain('endings')
  })
})

/** A subscription that delivers nothing: the keeper has to read for itself. */
const silent: EventStore['subscribe'] = () => ({ close: () => Promise.resolve() })

describe('a keeper of the ledger', () => {
  it('goes on after a restart, and after another key has followed', async () => {
    const log = await ledgeredLog('prediction')
    const more = (await read((await ledgeredLog('operator')).store.readAll()))
      .filter((event) => event.streamId !== 'ledger')
      .map((event) => ({ ...event, id: `x${event.id}`, streamId: event.streamId.replace(/-/, '-x') }))
    await appendAll(log.store, more)
    const keeper = keeperOf(log.store, { signer: log.signer })
    await keeper.close()
    const result = await audit(log.store, log)
    expect(result.ledger).toMatchObject({ checkpoints: 5, unsigned: 0 })
    expect(result.findings.filter(({ check }) => ['ledger', 'signatures', 'chain'].includes(check))).toEqual([])
  })

  it('does not continue what a stranger has signed', async () => {
    const log = await ledgeredLog('prediction')
    const warnings: string[] = []
    const keeper = keeperOf(log.store, { signer: newSigner(), warnings })
    await keeper.close()
    expect(warnings.join()).toContain('which is not among the keys here')
    expect(await read(log.store.readStream('ledger'))).toHaveLength(4)
  })

  it('does not cover a log that lacks events', async () => {
    const log = await ledgeredLog('prediction')
    await appendAll(
      log.store,
      goldenEvents('operator')
        .filter((event) => event.streamId === 'stream-a')
        .map((event) => ({ ...event, id: `x${event.id}`, streamId: 'stream-b' })),
    )
    const warnings: string[] = []
    const holed = lying(log.store, (all) =>
      all.filter((event) => event.streamId !== 'stream-b' || event.revision !== 2),
    )
    const keeper = keeperOf({ ...holed, subscribe: silent }, { signer: log.signer, warnings })
    await keeper.close()
    expect(warnings.join()).toContain('stream-b goes on with event 3 after 1')
  })

  it('lets a stream begin later, with chain and replay going on from the cut', async () => {
    const log = await ledgeredLog('prediction')
    const revision = 5
    const keeper = keeperOf(log.store, { signer: log.signer })
    await keeper.cut({
      stream: 'server-s1',
      revision,
      states: await evolved(log.store, 'server-s1', revision),
      archive: null,
    })
    await keeper.close()
    const archived = lying(log.store, (all) =>
      all.filter((event) => event.streamId !== 'server-s1' || event.revision >= revision),
    )
    expect((await audit(archived, log)).findings).toEqual([])
    // Without the cut, the same log lacks events.
    const withoutCut = lying(log.store, (all) =>
      all.filter(
        (event) =>
          (event.streamId !== 'server-s1' || event.revision >= revision) &&
          (event.streamId !== 'ledger' || event.type !== 'LedgerCut'),
      ),
    )
    expect(firstOf(await audit(withoutCut, log))).toEqual({ check: 'chain', streamId: 'server-s1', revision: 0 })
    const tooFar = lying(archived, (all) =>
      all.filter((event) => event.streamId !== 'server-s1' || event.revision >= revision + 1),
    )
    expect(firstOf(await audit(tooFar, log))).toEqual({ check: 'chain', streamId: 'server-s1', revision })
  })
})
