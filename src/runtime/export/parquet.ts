import { fileWriter, ParquetWriter } from 'hyparquet-writer'
import type { Column, Row, Table } from '../../projections/readModel/index.js'
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
  const fields = entries.map(([name, { type }]) => ({ name, type }))
  let group = entries.map((): unknown[] => [])
  let rows = 0
  const flush = (): void => {
    if (rows === 0) return
    const columnData = entries.map(([name], index) => ({ name, data: group[index] ?? [] }))
    void writer.write({ columnData, rowGroupSize: rowsPerGroup })
    group = entries.map(() => [])
    rows = 0
  }
  return {
    add: (row: Row) => {
      for (let index = 0; index < fields.length; index += 1) {
        const field = fields[index]
        if (field !== undefined) group[index]?.push(valueOf(field.type, row[field.name]))
      }
      rows += 1
      if (rows === rowsPerGroup) flush()
    },
    finish: () => {
      flush()
      void writer.finish()
    },
  }
}

function valueOf(type: Column['type'], value: unknown): unknown {
  if (value === null || value === undefined) return null
  switch (type) {
    case 'integer':
    case 'time':
      return BigInt(Math.round(Number(value)))
    case 'json':
      return JSON.stringify(value)
    default:
      return value
  }
}
