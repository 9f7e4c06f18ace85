import { fileWriter, ParquetWriter } from 'hyparquet-writer'
import type { Column, Row, Table } from '../../projections/readModel/index.js'
import { columnBuffer } from './columnBuffer.js'
import type { PartWriter } from './partWriter.js'

const rowsPerGroupDefault = 50_000

type Schema = ConstructorParameters<typeof ParquetWriter>[0]['schema']
type Element = Schema[number]

const elements: Readonly<Record<Column['type'], Omit<Element, 'name' | 'repetition_type'>>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  json: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  integer: { type: 'INT64' },
  real: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  // Milliseconds since 1970 in UTC, which is what this type means.
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
}

/** Rows as a Parquet file, Snappy compressed, in groups that bound what is held in memory. */
export function parquetPart(path: string, { columns }: Table, rowsPerGroup = rowsPerGroupDefault): PartWriter {
  const entries = Object.entries(columns)
  const schema: Schema = [
    { name: 'root', num_children: entries.length },
    ...entries.map(([name, { type, nullable }]): Element => ({
      name,
      ...elements[type],
      repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED',
    })),
  ]
  const writer = new ParquetWriter({ writer: fileWriter(path), schema, createdBy: 'segue' })
  const buffers = entries.map(([name, { type }]) => ({ name, buffer: columnBuffer(type, rowsPerGroup) }))
  let rows = 0
  const flush = (): void => {
    if (rows === 0) return
    const columnData = buffers.map(({ name, buffer }) => ({ name, data: buffer.take(rows) }))
    void writer.write({ columnData, rowGroupSize: rowsPerGroup })
    rows = 0
  }
  return {
    add: (row: Row) => {
      for (const { name, buffer } of buffers) buffer.set(rows, row[name])
      rows += 1
      if (rows === rowsPerGroup) flush()
    },
    finish: () => {
      flush()
      void writer.finish()
    },
  }
}
