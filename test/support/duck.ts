import { DuckDBInstance, type Json } from '@duckdb/node-api'

/** Answers a question in SQL with DuckDB, which reads Parquet, CSV and JSON files on its own. */
export async function ask(sql: string): Promise<ReadonlyArray<Readonly<Record<string, Json>>>> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    return (await connection.runAndReadAll(sql)).getRowObjectsJson()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
