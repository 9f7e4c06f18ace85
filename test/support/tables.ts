import { derivedId, type Category, type EventIn, type Payload } from '../../src/events/index.js'
import type { Columns, Happened, Projection, Row, RowOf, Table } from '../../src/projections/readModel/index.js'

/** The tables of one projection, in memory, filled by what it is told. */
export class Told {
  readonly #projection: Projection
  readonly #rows = new Map<string, Row>()
  #count = 0
  /** Unix time in milliseconds; move it with `later`. */
  now = Date.UTC(2026, 2, 1, 12)

  constructor(projection: Projection) {
    this.#projection = projection
  }

  later(ms: number): this {
    this.now += ms
    return this
  }

  /** Tells one event; answers its id. */
  tell<C extends Category>(category: C, entity: string, payload: Payload<C>): string {
    this.#count += 1
    const id = derivedId(this.now, 'told', this.#count)
    const metadata = { kind: 'fact', correlationId: id, causationId: null, occurredAt: this.now, actorVersion: 1 }
    const event = { id, ...payload, schemaVersion: 1, metadata } as unknown as EventIn<C>
    const isOfInterest = (this.#projection.interests[category] as ReadonlyArray<string> | undefined)?.includes(
      payload.type,
    )
    if (isOfInterest === true) this.#apply({ category, entity, event } as unknown as Happened)
    return id
  }

  row<C extends Columns>(table: Table<C>, ...key: ReadonlyArray<string | number>): RowOf<C> | undefined {
    return this.#rows.get(`${table.name}/${key.join('/')}`) as RowOf<C> | undefined
  }

  rows<C extends Columns>(table: Table<C>): ReadonlyArray<RowOf<C>> {
    return [...this.#rows].filter(([name]) => name.startsWith(`${table.name}/`)).map(([, row]) => row as RowOf<C>)
  }

  #apply(happened: Happened): void {
    const get = <C extends Columns>(table: Table<C>, ...key: ReadonlyArray<string | number>) => this.row(table, ...key)
    for (const { table, row } of this.#projection.project({ get }, happened)) {
      this.#rows.set(`${table.name}/${table.key.map((column) => row[column]).join('/')}`, row)
    }
  }
}
