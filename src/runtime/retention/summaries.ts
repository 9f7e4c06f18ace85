import type { EventIn } from '../../events/index.js'
import type { HistoryArchived, Summary } from '../../events/stores/archive/index.js'
import {
  projections,
  type Columns,
  type Projection,
  type Row,
  type RowOf,
  type Rows,
  type Table,
} from '../../projections/readModel/index.js'

/**
 * What is kept of a media server's events when they are archived: the rows that the projections made of them (a row for
 * each day, its alarms, how it stands). Each stretch goes on from what was kept of those before it.
 */
export class KeptRows {
  readonly #server: string
  readonly #shelves: ReadonlyArray<Shelf>

  /** @param before what was archived of the same stream up to now, oldest first */
  constructor(server: string, before: ReadonlyArray<HistoryArchived>) {
    this.#server = server
    this.#shelves = projections
      .filter(({ kept }) => kept !== undefined)
      .map(
        (projection) =>
          new Shelf(
            projection,
            before.flatMap(({ summaries }) => summaries),
          ),
      )
  }

  take(event: EventIn<'server'>): void {
    for (const shelf of this.#shelves) shelf.take(this.#server, event)
  }

  /** The rows that have changed. */
  summaries(): ReadonlyArray<Summary> {
    return this.#shelves.map((shelf) => shelf.summary()).filter(({ rows }) => rows.length > 0)
  }
}

/** The rows of one projection. */
class Shelf implements Rows {
  readonly #projection: Projection
  readonly #interests: ReadonlySet<string>
  readonly #rows = new Map<string, Row>()
  readonly #changed = new Map<string, { readonly table: string; readonly row: Row }>()

  constructor(projection: Projection, before: ReadonlyArray<Summary>) {
    this.#projection = projection
    this.#interests = new Set<string>(projection.interests.server ?? [])
    const tables = new Map(projection.tables.map((table) => [table.name, table]))
    for (const { projection: name, version, rows } of before) {
      if (name !== projection.name || version !== projection.version) continue
      for (const { table: tableName, row } of rows) {
        const table = tables.get(tableName)
        if (table !== undefined) this.#rows.set(nameOf(table, row), row)
      }
    }
  }

  readonly get = <C extends Columns>(table: Table<C>, ...key: ReadonlyArray<string | number>): RowOf<C> | undefined =>
    this.#rows.get([table.name, ...key].join('\0')) as RowOf<C> | undefined

  take(entity: string, event: EventIn<'server'>): void {
    if (!this.#interests.has(event.type)) return
    const { project, kept = [] } = this.#projection
    for (const { table, row } of project(this, { category: 'server', entity, event })) {
      if (!kept.some(({ name }) => name === table.name)) continue
      const name = nameOf(table, row)
      this.#rows.set(name, row)
      this.#changed.set(name, { table: table.name, row })
    }
  }

  summary(): Summary {
    const { name: projection, version } = this.#projection
    return { projection, version, rows: [...this.#changed.values()] }
  }
}

const nameOf = (table: Table, row: Row): string => [table.name, ...table.key.map((column) => row[column])].join('\0')
