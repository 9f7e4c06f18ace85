import type { ExpectedRevision } from './store.js'

/** Base of everything a store reports. `_tag` tells the kinds apart; `cause` holds the error underneath. */
export abstract class StoreError extends Error {
  abstract readonly _tag: string
  override get name(): string {
    return this._tag
  }
}

/** Somebody else wrote to the stream first, or it is not in the expected state. Reload and decide again. */
export class WrongExpectedRevision extends StoreError {
  readonly _tag = 'WrongExpectedRevision'
  constructor(
    readonly streamId: string,
    readonly expected: ExpectedRevision,
    /** Last revision found; null when the stream has no event. */
    readonly actual: number | null,
  ) {
    super(`stream ${streamId} is at revision ${actual ?? 'none'}, the append expected ${expected}`)
  }
}

export class StreamDeleted extends StoreError {
  readonly _tag = 'StreamDeleted'
  constructor(readonly streamId: string) {
    super(`stream ${streamId} was deleted and cannot be used again`)
  }
}

export class AppendTooLarge extends StoreError {
  readonly _tag = 'AppendTooLarge'
  constructor(
    readonly streamId: string,
    readonly bytes: number,
    readonly bytesMax: number,
  ) {
    super(`an append of ${bytes} bytes to ${streamId} exceeds the limit of ${bytesMax}; split it or shrink its events`)
  }
}

/** Nothing was written; the same append may be tried again later. */
export class StoreUnavailable extends StoreError {
  readonly _tag = 'StoreUnavailable'
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause })
  }
}

/** It is not known whether the append was written: try again with the same ids and the same expected revision. */
export class AppendOutcomeUnknown extends StoreError {
  readonly _tag = 'AppendOutcomeUnknown'
  constructor(
    readonly streamId: string,
    cause?: unknown,
  ) {
    super(`the store gave no answer to an append to ${streamId}; whether it was written is unknown`, { cause })
  }
}

/** A stream cannot be cut like this; nothing was removed. */
export class CutRefused extends StoreError {
  readonly _tag = 'CutRefused'
  constructor(
    readonly streamId: string,
    reason: string,
    cause?: unknown,
  ) {
    super(`stream ${streamId} is not cut: ${reason}`, { cause })
  }
}

/** The file or server is not a log of ours, is damaged, or was written by a newer version. */
export class StoreCorrupt extends StoreError {
  readonly _tag = 'StoreCorrupt'
  constructor(
    readonly where: string,
    reason: string,
    cause?: unknown,
  ) {
    super(`${where}: ${reason}`, { cause })
  }
}

export type AppendError =
  WrongExpectedRevision | StreamDeleted | AppendTooLarge | StoreUnavailable | AppendOutcomeUnknown
