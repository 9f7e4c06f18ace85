import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Position, RecordedEvent, SegueEvent } from './envelope.js'
import type { AppendError } from './errors.js'

/** What the writer believes of the stream: its last revision, that it has no event, that it has some, or anything. */
export type ExpectedRevision = number | 'none' | 'exists' | 'any'

export interface AppendResult {
  /** Revision of the last event of this append. */
  readonly lastRevision: number
  readonly position: Position
  /**
   * True when all these events had been appended before by an earlier try with the same ids. When it is false, the log
   * holds exactly the given events at this place; EventStoreDB may say so of what another process had appended.
   */
  readonly repeated: boolean
}

export interface ReadStreamOptions {
  /** First revision to return (inclusive); default: the beginning, or the end when reading backwards. */
  readonly from?: number
  readonly direction?: 'forwards' | 'backwards'
  readonly limit?: number
}

/** What is kept of a log; what is left out keeps all. */
export interface SubscriptionFilter {
  /** Keep events of streams whose id begins with one of these. */
  readonly streamPrefixes?: ReadonlyArray<string>
  /** Keep events of these types. */
  readonly types?: ReadonlyArray<string>
  /** Keep events of streams whose id is in this range. */
  readonly streams?: StreamRange
}

/** Ids from `from` (inclusive) up to `before` (exclusive), in the order of their bytes in UTF-8; null: without end. */
export interface StreamRange {
  readonly from: string | null
  readonly before: string | null
}

export interface ReadAllOptions {
  /** Return events after this position; default: from the beginning. */
  readonly after?: Position
  /** Return no more than so many events that the filter keeps. */
  readonly limit?: number
  readonly filter?: SubscriptionFilter
}

export interface SubscribeOptions {
  readonly after?: Position
  readonly filter?: SubscriptionFilter
  /** Called one event at a time; the next is delivered when the returned promise has resolved. */
  readonly onEvent: (event: RecordedEvent) => void | Promise<void>
  /** Called once when everything that existed at the start was delivered. */
  readonly onCaughtUp?: (position: Position | null) => void
  /** Called now and then with a position up to which the filter found everything, also when nothing matched. */
  readonly onCheckpoint?: (position: Position) => void
  /** The subscription has ended for this reason; it does not restart by itself. */
  readonly onError?: (error: Error) => void
}

export interface Subscription {
  readonly close: () => Promise<void>
}

/** Where a stream begins whose older events were archived. */
export interface StreamCut {
  /** First revision that is kept. */
  readonly revision: number
  /** Revision of the `LedgerCut` in the ledger that says so. */
  readonly ledgerRevision: number
}

/**
 * The log. Implementations: SQLite (embedded default), memory (tests and simulation), EventStoreDB. All pass one
 * contract suite (test/contracts/eventStore).
 */
export interface EventStore {
  /**
   * Appends all events or none. Idempotent by event id: the same ids with the same expected revision succeed again
   * with `repeated: true`. An id that already stands in the stream, in another place, is a WrongExpectedRevision.
   */
  readonly append: (
    streamId: string,
    events: ReadonlyArray<SegueEvent>,
    options: { readonly expected: ExpectedRevision },
  ) => TaskEither<AppendError, AppendResult>
  /** Yields nothing for a stream that does not exist. Throws StoreError classes of errors.ts. */
  readonly readStream: (streamId: string, options?: ReadStreamOptions) => AsyncIterable<RecordedEvent>
  readonly readAll: (options?: ReadAllOptions) => AsyncIterable<RecordedEvent>
  readonly subscribe: (options: SubscribeOptions) => Subscription
  /** Makes the stream unreadable for ever; appending to it gives StreamDeleted. */
  readonly deleteStream: (streamId: string) => Promise<void>
  /**
   * Lets a stream begin at `cut.revision`: no read shows what was before it, at once and for good. Its last event is
   * always kept, and revisions go on as before. What an earlier, interrupted call has left is removed as well, so the same
   * may be asked for again.
   * @throws CutRefused unless the ledger holds the signed cut that is named, or when nothing would be left
   */
  readonly truncateBefore: (streamId: string, cut: StreamCut) => Promise<void>
  /** Where streams begin that were cut, by stream. */
  readonly cuts: () => Promise<ReadonlyMap<string, StreamCut>>
  /** Waits for appends under way, then releases everything. Later calls fail with StoreUnavailable. */
  readonly close: () => Promise<void>
}

/** Most bytes (canonical JSON) that one append may carry; EventStoreDB's own limit, kept by all stores. */
export const appendBytesMax = 1_048_576
