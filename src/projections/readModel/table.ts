/**
 * How a column is kept: `time` is Unix time in milliseconds, `json` any value that JSON carries. The types of files and
 * databases are derived from it.
 */
export type ColumnType = 'text' | 'integer' | 'real' | 'boolean' | 'time' | 'json'

export interface Column<Value = unknown> {
  readonly type: ColumnType
  readonly nullable: boolean
  /** What it holds, with its unit. */
  readonly about: string
  /** Only for the compiler. */
  readonly value?: Value
}

export type Columns = Readonly<Record<string, Column>>
export type Row = Readonly<Record<string, unknown>>
export type RowOf<C extends Columns> = { readonly [K in keyof C]: C[K] extends Column<infer Value> ? Value : never }

/** A table of a projection. A row is found, and replaced, by the values of its key. */
export interface Table<C extends Columns = Columns> {
  readonly name: string
  readonly about: string
  readonly columns: C
  readonly key: ReadonlyArray<keyof C & string>
  /** Only what the projection itself has to remember; not for readers. */
  readonly internal: boolean
}

export type RowIn<T> = T extends Table<infer C> ? RowOf<C> : never

const column =
  <Value>(type: ColumnType) =>
  (about: string): Column<Value> => ({ type, nullable: false, about })

export const text = column<string>('text')
export const word = <const V extends string>(about: string): Column<V> => ({ type: 'text', nullable: false, about })
export const integer = column<number>('integer')
export const real = column<number>('real')
export const boolean = column<boolean>('boolean')
export const time = column<number>('time')
export const json = <Value>(about: string): Column<Value> => ({ type: 'json', nullable: false, about })
/** The same column, where there may be no value. */
export const optional = <Value>(of: Column<Value>): Column<Value | null> => ({
  type: of.type,
  nullable: true,
  about: of.about,
})

export function table<const C extends Columns>(
  name: string,
  about: string,
  key: ReadonlyArray<keyof C & string>,
  columns: C,
): Table<C> {
  return { name, about, key, columns, internal: false }
}

export const internalTable = <const C extends Columns>(
  name: string,
  about: string,
  key: ReadonlyArray<keyof C & string>,
  columns: C,
): Table<C> => ({ ...table(name, about, key, columns), internal: true })
