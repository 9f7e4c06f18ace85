import type { Category, EventIn, Payload } from '../../events/index.js'
import type { Columns, Row, RowOf, Table } from './table.js'

/** An event as projections see it. */
export type Happened = {
  readonly [C in Category]: {
    readonly category: C
    /** The server, stream or session. */
    readonly entity: string
    readonly event: EventIn<C>
  }
}[Category]

export type HappenedTo<C extends Category> = Extract<Happened, { readonly category: C }>

/** The rows that a projection has written up to now. */
export interface Rows {
  readonly get: <C extends Columns>(table: Table<C>, ...key: ReadonlyArray<string | number>) => RowOf<C> | undefined
}

/** A row to be written in place of the one with the same key, if there is one. */
export interface Change {
  readonly table: Table
  readonly row: Row
}

export const put = <C extends Columns>(table: Table<C>, row: RowOf<C>): Change => ({
  table: table as unknown as Table,
  row,
})

export type Interests = { readonly [C in Category]?: ReadonlyArray<Payload<C>['type']> }

/**
 * What a log means, as tables. `project` is pure: the same rows and event give the same changes, so that tables can be
 * thrown away and made again. What it throws stops this projection at that event and no other.
 */
export interface Projection {
  readonly name: string
  /** Raise it with every change of the rules or the tables: they are then made anew. */
  readonly version: number
  readonly tables: ReadonlyArray<Table>
  /**
   * Those of its tables whose rows follow from one media server's stream alone, or in which nothing else changes what does:
   * when the beginning of such a stream is archived, its rows are kept in the log, and tables are made anew from them.
   */
  readonly kept?: ReadonlyArray<Table>
  /** The only events that it is shown. */
  readonly interests: Interests
  readonly project: (rows: Rows, happened: Happened) => ReadonlyArray<Change>
}

export const nothing: ReadonlyArray<never> = []

/** The table as projections and their shell handle it, whatever its columns. */
export const anyTable = <C extends Columns>(of: Table<C>): Table => of as unknown as Table
