import { serverFeatures } from '../../model/outlook/index.js'
import { nominalIntervalMs } from '../../model/telemetry/index.js'
import type { EventIn } from '../../events/index.js'
import {
  quietStrideFor,
  trainingProjection,
  trainingWindows,
  type Columns,
  type Happened,
  type Row,
  type RowIn,
  type RowOf,
  type Rows,
  type Table,
} from '../readModel/index.js'
import { followEvent, unfollowed, type Followed } from './follower.js'

/** A moment at which a model would have judged a server, with what followed. */
export interface LogRow {
  readonly server: string
  readonly at: number
  /** Between samples, as it was meant. */
  readonly intervalMs: number
  /** Features in the order of `serverFeatures`. */
  readonly vector: Float32Array
  readonly label: 0 | 1
  readonly incidentAt: number | null
  /** How much the label can be trusted, against 1. */
  readonly trust: number
}

/** Streams had left: what would have come of the alarm is not known, and quiet says little. */
const trustAverted = 0.25
/** Nothing was done about an alarm on purpose: one such row stands for many that could not be verified. */
const trustControl = 4

type Window = RowIn<typeof trainingWindows>

const trustOf = ({ averted, control }: Window): number => (averted ? trustAverted : control ? trustControl : 1)

/** The rows of the projection, in memory. */
class KnownRows implements Rows {
  readonly #rows = new Map<string, Row>()

  readonly get = <C extends Columns>(table: Table<C>, ...key: ReadonlyArray<string | number>): RowOf<C> | undefined =>
    this.#rows.get(`${table.name}/${key.join('/')}`) as RowOf<C> | undefined

  put(table: Table, row: Row): void {
    this.#rows.set(`${table.name}/${table.key.map((column) => row[column]).join('/')}`, row)
  }
}

interface Seen {
  readonly seq: number
  readonly intervalMs: number
  readonly vector: Float32Array
}

/**
 * Makes rows to train on of a log that is told event by event: which moments there are and what followed them is what the
 * projection `training` says, and the features are those that the server's actor saw. Moments lie as far apart as the
 * projection keeps them in quiet times; those within the first horizon of a boot are left out, because a model does not
 * judge by them. At most `rowsMax` rows are kept, the newest.
 */
export class TrainingLog {
  readonly #rowsMax: number
  readonly #known = new KnownRows()
  readonly #interests: ReadonlySet<string>
  readonly #servers = new Map<string, Followed>()
  /** Of samples whose future is not known yet, by server and boot. */
  readonly #waiting = new Map<string, Seen[]>()
  #rows: LogRow[] = []

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax
    const { interests } = trainingProjection
    this.#interests = new Set(
      Object.entries(interests).flatMap(([category, types]) => types.map((type) => `${category}/${type}`)),
    )
  }

  /** Whether an event of this type has to be told. */
  wants(category: string, type: string): boolean {
    return this.#interests.has(`${category}/${type}`)
  }

  get rows(): ReadonlyArray<LogRow> {
    return this.#rows.slice(-this.#rowsMax)
  }

  take(happened: Happened): void {
    if (happened.category === 'server') this.#follow(happened.entity, happened.event)
    for (const { table, row } of trainingProjection.project(this.#known, happened)) {
      if (table.name === trainingWindows.name) this.#settle(row as Window)
      else this.#known.put(table, row)
    }
    if (this.#rows.length > 2 * this.#rowsMax) this.#rows = this.#rows.slice(-this.#rowsMax)
  }

  #follow(server: string, event: EventIn<'server'>): void {
    const before = this.#servers.get(server) ?? unfollowed
    const after = followEvent(before, event)
    this.#servers.set(server, after)
    if (after.bootId !== before.bootId) this.#waiting.delete(keyOf(server, before.bootId))
    if (event.type !== 'HealthSampled' || after.vector === null) return
    const { seq, intervalMs, bootId } = event.data.sample
    if (seq % quietStrideFor(intervalMs) !== 0) return
    const waiting = this.#waiting.get(keyOf(server, bootId)) ?? []
    waiting.push({ seq, intervalMs: nominalIntervalMs(intervalMs), vector: Float32Array.from(after.vector) })
    this.#waiting.set(keyOf(server, bootId), waiting)
  }

  #settle(window: Window): void {
    const { server, boot_id: bootId, to_seq: seq, to_at: at } = window
    const waiting = this.#waiting.get(keyOf(server, bootId)) ?? []
    // Rows are settled in the order of their samples: what lies before is not asked for any more.
    while ((waiting[0]?.seq ?? Infinity) < seq) waiting.shift()
    if (waiting[0]?.seq !== seq) return
    const seen = waiting.shift()
    if (seen === undefined) return
    const { intervalMs, vector } = seen
    const label = window.label === 1 ? 1 : 0
    this.#rows.push({ server, at, intervalMs, vector, label, incidentAt: window.incident_at, trust: trustOf(window) })
  }
}

const keyOf = (server: string, bootId: string | null): string => `${server}/${bootId}`

/** Names of the columns of a row's vector. */
export const logFeatures = serverFeatures
