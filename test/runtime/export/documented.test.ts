import { readFile } from 'node:fs/promises'
import { exportTables } from '../../../src/projections/export/index.js'

test('docs/export.md tells every column of every table, and whether it may be empty', async () => {
  const page = await readFile(new URL('../../../docs/export.md', import.meta.url), 'utf8')
  for (const { table } of exportTables) {
    const [, section = ''] = page.split(`\n## ${table.name}\n`)
    const told = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` +\| ([^|]+)\|/gm)]
    expect(told.map(([, name, type]) => [name, type?.includes('or none')])).toEqual(
      Object.entries(table.columns).map(([name, { nullable }]) => [name, nullable]),
    )
  }
})
