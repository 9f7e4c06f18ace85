import type { Database, Statement } from '../../events/stores/sqlite/driver.js'
import type { Column, Columns, Row, RowOf, Rows, Table } from '../../projections/readModel/index.js'

/** Rows that are remembered between two commits; more are forgotten and read again when they are needed. */
const rememberedRowsMax = 10_000

const sqlTypes = { text: 'TEXT', integer: 'INTEGER', real: 'REAL', boolean: 'INTEGER', time: 'INTEGER', json: 'TEXT' }

/** A row as it is known in memory; null: the table has none. */
interface Known {
  row: Row | null
  isChanged: boolean
}

interface Shelf {
  readonly rows: Map<string, Known>
  readonly changed: Known[]
  readonly select: Statement
  readonly write: Statement
  readonly columns: ReadonlyArray<readonly [name: string, column: Column]>
  readonly required: ReadonlyArray<string>
}

/** Makes the tables of a projection, in place of what is there. */
export function createTables(db: Database, tables: ReadonlyArray<Table>): void {
  for (const { name, columns, key } of tables) {
    const definitions = Object.entries(columns).map(
      ([column, { type, nullable }]) => `"${column}" ${sqlTypes[type]}${nullable ? '' : ' NOT NULL'}`,
    )
    const primary = key.map((column) => `"${column}"`).join(', ')
    db.exec(`DROP TABLE IF EXISTS "${name}"`)
    db.exec(`CREATE TABLE "${name}" (${definitions.join(', ')}, PRIMARY KEY (${primary})) WITHOUT ROWID`)
  }
}

/** Rows of one projection: what it changes stays in memory until `flush`, which belongs into a transaction. */
export class TableStore implements Rows {
  readonly #db: Database
  readonly #shelves = new Map<string, Shelf>()
  #remembered = 0

  constructor(db: Database, tables: ReadonlyArray<Table>) {
    this.#db = db
    for (const each of tables) this.#shelves.set(each.name, this.#shelfFor(each))
  }

  readonly get = <C extends Columns>(table: Table<C>, ...key: ReadonlyArray<string | number>): RowOf<C> | undefined => {
    const shelf = this.#shelfOf(table.name)
    const name = key.length === 1 ? String(key[0]) : key.join('\0')
    let known = shelf.rows.get(name)
    if (known === undefined) {
      const row = rowOf(shelf, shelf.select.get(...key) as ReadonlyArray<unknown> | undefined)
      known = this.#learn(shelf, name, row)
    }
    return known.row === null ? undefined : (known.row as RowOf<C>)
  }

  /** @throws Error for a row that the table cannot hold. */
  check(table: Table, row: Row): void {
    for (const column of this.#shelfOf(table.name).required) {
      if (row[column] === null || row[column] === undefined) throw new Error(`${table.name}.${column} would be empty`)
    }
  }

  put(table: Table, row: Row): void {
    const shelf = this.#shelfOf(table.name)
    const [first = ''] = table.key
    const name = table.key.length === 1 ? String(row[first]) : table.key.map((column) => row[column]).join('\0')
    const known = shelf.rows.get(name) ?? this.#learn(shelf, name, row)
    known.row = row
    if (known.isChanged) return
    known.isChanged = true
    shelf.changed.push(known)
  }

  /** Writes what has changed. @throws SqliteError for a row that its table cannot hold */
  flush(): void {
    for (const { changed, columns, write } of this.#shelves.values()) {
      for (const known of changed) {
        const { row } = known
        known.isChanged = false
        if (row !== null) write.run(columns.map(([column, { type }]) => sqlValue(type, row[column])))
      }
      changed.length = 0
    }
    if (this.#remembered > rememberedRowsMax) this.forget()
  }

  /** Drops what is in memory, changed or not. */
  forget(): void {
    for (const { rows, changed } of this.#shelves.values()) {
      rows.clear()
      changed.length = 0
    }
    this.#remembered = 0
  }

  #learn(shelf: Shelf, name: string, row: Row | null): Known {
    const known = { row, isChanged: false }
    shelf.rows.set(name, known)
    this.#remembered += 1
    return known
  }

  #shelfOf(name: string): Shelf {
    const shelf = this.#shelves.get(name)
    if (shelf === undefined) throw new Error(`the projection has no table ${name}`)
    return shelf
  }

  #shelfFor({ name, columns, key }: Table): Shelf {
    const entries = Object.entries(columns)
    const list = entries.map(([column]) => `"${column}"`).join(', ')
    const matches = key.map((column) => `"${column}" = ?`).join(' AND ')
    return {
      rows: new Map(),
      changed: [],
      select: this.#db.prepare(`SELECT ${list} FROM "${name}" WHERE ${matches}`).raw(),
      write: this.#db.prepare(
        `INSERT OR REPLACE INTO "${name}" (${list}) VALUES (${entries.map(() => '?').join(', ')})`,
      ),
      columns: entries,
      required: entries.filter(([, { nullable }]) => !nullable).map(([column]) => column),
    }
  }
}

function rowOf({ columns }: Shelf, values: ReadonlyArray<unknown> | undefined): Row | null {
  if (values === undefined) return null
  const row: Record<string, unknown> = {}
  for (const [index, [name, { type }]] of columns.entries()) row[name] = plainValue(type, values[index])
  return row
}

function sqlValue(type: Column['type'], value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (type === 'json') return JSON.stringify(value)
  return type === 'boolean' ? Number(value) : value
}

/** The value of a column as projections know it. */
export function plainValue(type: Column['type'], value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (type === 'json') return JSON.parse(String(value)) as unknown
  return type === 'boolean' ? value === 1 : value
}

/** All rows of a table, by key. */
export function* rowsOf<C extends Columns>(db: Database, { name, columns, key }: Table<C>): Generator<RowOf<C>> {
  const entries = Object.entries(columns)
  const list = entries.map(([column]) => `"${column}"`).join(', ')
  const order = key.map((column) => `"${column}"`).join(', ')
  const rows = db.prepare(`SELECT ${list} FROM "${name}" ORDER BY ${order}`).raw().iterate()
  for (const values of rows as IterableIterator<ReadonlyArray<unknown>>) {
    const row: Record<string, unknown> = {}
    for (const [index, [column, { type }]] of entries.entries()) row[column] = plainValue(type, values[index])
    yield row as RowOf<C>
  }
}
