import * as E from 'fp-ts/lib/Either.js'
import type { RecordedEvent } from '../envelope.js'
import { CutRefused } from '../errors.js'
import type { EventStore, StreamCut } from '../store.js'
import { LedgerCut, ledgerStream, readStatement, type CutStatement } from './records.js'

/** A cut as the ledger tells it: what was signed, and the states from which the rules go on. */
export interface RecordedCut extends CutStatement {
  /** States of the stream's entity before the cut, by version of the rules; see actors/cutStates.ts. */
  readonly state: string | null
  readonly states: unknown
}

/** Reads a cut out of an event of the ledger; null for any other event. */
export function cutIn(event: RecordedEvent | undefined): RecordedCut | null {
  if (event?.streamId !== ledgerStream || event.type !== 'LedgerCut') return null
  const data = LedgerCut.data.decode(event.data)
  if (E.isLeft(data)) return null
  const statement = readStatement(data.right.signed.statement)
  if (E.isLeft(statement) || statement.right.type !== 'segue-cut/1') return null
  return { ...statement.right, states: data.right.state }
}

type Source = Pick<EventStore, 'readStream' | 'cuts'>

async function eventAt(source: Pick<EventStore, 'readStream'>, revision: number): Promise<RecordedEvent | undefined> {
  for await (const event of source.readStream(ledgerStream, { from: revision, limit: 1 })) return event
  return undefined
}

/** The cut that a stream begins with; null for one that is whole. */
export async function cutOf(source: Source, streamId: string): Promise<RecordedCut | null> {
  const found = (await source.cuts()).get(streamId)
  return found === undefined ? null : cutIn(await eventAt(source, found.ledgerRevision))
}

/** The cuts that streams begin with, by stream. */
export async function presentCuts(source: Source): Promise<ReadonlyMap<string, RecordedCut>> {
  const list = new Map<string, RecordedCut>()
  for (const [streamId, { ledgerRevision }] of await source.cuts()) {
    const cut = cutIn(await eventAt(source, ledgerRevision))
    if (cut !== null) list.set(streamId, cut)
  }
  return list
}

/** For stores: nothing is removed but what the ledger says was cut. @throws CutRefused */
export async function demandCut(
  source: Pick<EventStore, 'readStream'>,
  streamId: string,
  { revision, ledgerRevision }: StreamCut,
): Promise<void> {
  const cut = cutIn(await eventAt(source, ledgerRevision))
  if (cut?.stream === streamId && cut.revision === revision) return
  throw new CutRefused(
    streamId,
    `event ${ledgerRevision} of the ledger is no cut of it at ${revision}: a stream is only cut where the ledger says so`,
  )
}
