import type { Row, Table } from '../../projections/readModel/index.js'

export const exportFormats = ['parquet', 'csv', 'ndjson'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** Writes the rows of one table to one file. Nothing of it counts before `finish`. */
export interface PartWriter {
  readonly add: (row: Row) => void
  readonly finish: () => void
}

/** Opens a file for the rows of a table, replacing what is there. Throws the system's errors, as its methods do. */
export async function openPart(format: ExportFormat, path: string, table: Table): Promise<PartWriter> {
  if (format === 'parquet') return (await import('./parquet.js')).parquetPart(path, table)
  const text = await import('./text.js')
  return format === 'csv' ? text.csvPart(path, table) : text.ndjsonPart(path, table)
}
