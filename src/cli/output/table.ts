export interface TextColumn {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Rows under their titles, every column as wide as it must be. */
export function tableLines(
  columns: ReadonlyArray<TextColumn>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
): ReadonlyArray<string> {
  const all = [columns.map(({ title }) => title), ...rows]
  const widths = columns.map((_, index) => Math.max(...all.map((row) => row[index]?.length ?? 0)))
  return all.map((row) =>
    columns
      .map(({ align }, index) => {
        const text = row[index] ?? ''
        return align === 'right' ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0)
      })
      .join('  ')
      .trimEnd(),
  )
}
