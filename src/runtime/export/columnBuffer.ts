import type { Column } from '../../projections/readModel/index.js'

/** What the Parquet writer takes for a column. */
export type ColumnData = unknown[] | Float64Array

/** The values of one column for a group of rows. */
export interface ColumnBuffer {
  readonly set: (row: number, value: unknown) => void
  /** The first `rows` values, as the writer wants them; they hold until the next `set`. */
  readonly take: (rows: number) => ColumnData
}

/**
 * Room for so many values. Numbers stand in an array of numbers: as values of their own, tens of thousands of rows would be
 * millions of objects that live until the group is written.
 */
export function columnBuffer(type: Column['type'], rowsMax: number): ColumnBuffer {
  switch (type) {
    case 'real':
      return new Numbers(rowsMax, null)
    case 'integer':
    case 'time':
      return new Numbers(rowsMax, (value) => BigInt(Math.round(value)))
    case 'json':
      return new Values((value) => JSON.stringify(value))
    default:
      return new Values((value) => value)
  }
}

const isMissing = (value: unknown): boolean => value === null || value === undefined

class Numbers implements ColumnBuffer {
  readonly #values: Float64Array
  readonly #missing: Uint8Array
  readonly #written: ((value: number) => unknown) | null
  #missingCount = 0

  /** @param written what the writer wants for a number; null: the number */
  constructor(rowsMax: number, written: ((value: number) => unknown) | null) {
    this.#values = new Float64Array(rowsMax)
    this.#missing = new Uint8Array(rowsMax)
    this.#written = written
  }

  set(row: number, value: unknown): void {
    if (isMissing(value)) {
      this.#missing[row] = 1
      this.#missingCount += 1
    } else this.#values[row] = Number(value)
  }

  take(rows: number): ColumnData {
    const values = this.#values
    const written = this.#written
    if (written === null && this.#missingCount === 0) return values.subarray(0, rows)
    const taken: unknown[] = []
    for (let row = 0; row < rows; row += 1) {
      const value = values[row] ?? 0
      taken.push(this.#missing[row] === 1 ? null : written === null ? value : written(value))
    }
    if (this.#missingCount > 0) this.#missing.fill(0)
    this.#missingCount = 0
    return taken
  }
}

class Values implements ColumnBuffer {
  readonly #written: (value: unknown) => unknown
  #values: unknown[] = []

  constructor(written: (value: unknown) => unknown) {
    this.#written = written
  }

  set(row: number, value: unknown): void {
    this.#values[row] = isMissing(value) ? null : this.#written(value)
  }

  take(): ColumnData {
    const taken = this.#values
    this.#values = []
    return taken
  }
}
