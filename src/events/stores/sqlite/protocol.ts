import type { ExpectedRevision, StreamCut } from '../../store.js'
import type { Fault } from './faults.js'

/** One event as the worker stores it; the JSON is written by the asking thread, so that the worker only waits for the disk. */
export interface EventRow {
  readonly id: string
  readonly type: string
  readonly schemaVersion: number
  readonly kind: string
  readonly occurredAt: number
  readonly data: string
  readonly metadata: string
}

export interface AppendRequest {
  readonly streamId: string
  readonly expected: ExpectedRevision
  readonly rows: ReadonlyArray<EventRow>
}

export type AppendOutcome =
  | { readonly type: 'appended'; readonly lastRevision: number; readonly place: number; readonly repeated: boolean }
  | { readonly type: 'conflict'; readonly actual: number | null }
  | { readonly type: 'deleted' }
  | Fault

/** To the worker. Each is answered once, in order. */
export type WorkerRequest =
  | { readonly type: 'append'; readonly batch: ReadonlyArray<AppendRequest> }
  | { readonly type: 'delete'; readonly streamId: string }
  | { readonly type: 'truncate'; readonly streamId: string; readonly cut: StreamCut }
  | { readonly type: 'close' }

/** From the worker; `opened` or `failed` comes first, by itself. */
export type WorkerReply =
  | { readonly type: 'opened' }
  | { readonly type: 'failed'; readonly fault: Fault }
  | { readonly type: 'appended'; readonly outcomes: ReadonlyArray<AppendOutcome> }
  | { readonly type: 'deleted' }
  /** `left`: there is more to remove. */
  | { readonly type: 'truncated'; readonly left: boolean }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'closed' }

export interface WorkerOptions {
  readonly path: string
  readonly busyTimeoutMs: number
  readonly checkBytesMax: number
}
