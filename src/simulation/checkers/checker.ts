import type { RecordedEvent, SegueEvent } from '../../events/index.js'
import type { Assignment } from '../../messaging/index.js'
import type { Served } from '../media/origin.js'

/** The invariants of the architecture, and that everything comes right again. */
export const invariants = {
  authority: 'for each stream and number exactly one epoch is authoritative; epochs and K only rise',
  playback: 'a viewer plays every number once, in order, with the right bytes',
  log: 'no acknowledged event is lost, changed or doubled',
  replay: 'replaying the facts gives exactly the recorded decisions',
  endings: 'a handover ends within its deadline budget',
  detection: 'a media server that is gone, or hangs, is told to have failed',
  departure: 'a primary is left when there is a reason and another server can take over, and for none that is over',
  recovery: 'when all works again, every stream has a primary that serves, a filled standby, and viewers that play',
  independence: 'losing control plane, broker or event store interrupts no viewer and loses no sample',
} as const
export type Invariant = keyof typeof invariants

/** What checkers hear of the world. All times are true ones. */
export interface Observations {
  /** Events are in the log. */
  appended(streamId: string, events: ReadonlyArray<RecordedEvent>): void
  /** The store has told a process that they are, or (`repeated`) that events with these ids are there. */
  confirmed(streamId: string, events: ReadonlyArray<SegueEvent>, repeated: boolean): void
  /** The broker was told that a durable message is done with. */
  acknowledged(subject: string, data: unknown): void
  /** The broker hands a durable message out again, because nobody acknowledged it in time. */
  redelivered(data: unknown): void
  /** A server was handed an assignment. */
  assigned(assignment: Assignment): void
  /** A task of a boot of a server has led to the fact with this id. */
  reported(bootId: string, id: string): void
  served(served: Served): void
  /** A server's process is there, or is gone. */
  started(server: string): void
  crashed(server: string): void
  /** It is suspended, or runs again. */
  hung(server: string): void
  awoke(server: string, sleptSinceMs: number): void
  sampleTaken(server: string, id: string, seq: number): void
  sampleKept(server: string, id: string): void
  played(viewer: string, number: number, names: { readonly video: string; readonly audio: string }): void
  skipped(viewer: string, from: number, to: number): void
  stalled(viewer: string, number: number): void
  viewerEnded(viewer: string, reason: string): void
  /** A fault or an episode of this kind has begun or ended. */
  disturbed(kind: string): void
  /** All has healed and come to rest. */
  finished(): void | Promise<void>
}

export type Checker = Partial<Observations>

/** What a checker may know of the world besides what it hears. */
export interface CheckerContext {
  readonly nowMs: () => number
  readonly violated: (invariant: Invariant, message: string) => void
}
