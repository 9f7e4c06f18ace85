import { closeSync, openSync } from 'node:fs'
import type { Column, Table } from '../../projections/readModel/index.js'
import { writeAll } from '../durable.js'
import type { PartWriter } from './partWriter.js'

const bufferedCharacters = 1_000_000

/** Rows as CSV (RFC 4180) with a header line; nothing between two commas stands for no value. */
export function csvPart(path: string, { columns }: Table): PartWriter {
  const entries = Object.entries(columns)
  const header = entries.map(([name]) => name).join(',')
  return linesPart(
    path,
    header,
    (row) => entries.map(([name, { type }]) => csvField(type, row[name])).join(','),
    '\r\n',
  )
}

/** Rows as one JSON object a line. */
export function ndjsonPart(path: string, { columns }: Table): PartWriter {
  const entries = Object.entries(columns)
  const line = (row: Readonly<Record<string, unknown>>): string =>
    JSON.stringify(
      Object.fromEntries(
        entries.map(([name, { type }]) => [name, type === 'time' ? instant(row[name]) : (row[name] ?? null)]),
      ),
    )
  return linesPart(path, null, line, '\n')
}

function linesPart(
  path: string,
  header: string | null,
  line: (row: Readonly<Record<string, unknown>>) => string,
  end: string,
): PartWriter {
  const file = openSync(path, 'w')
  let buffered = header === null ? '' : header + end
  const flush = (): void => {
    writeAll(file, buffered)
    buffered = ''
  }
  return {
    add: (row) => {
      buffered += line(row) + end
      if (buffered.length > bufferedCharacters) flush()
    },
    finish: () => {
      flush()
      closeSync(file)
    },
  }
}

const instant = (value: unknown): string | null =>
  value === null || value === undefined ? null : new Date(Math.round(Number(value))).toISOString()

function csvField(type: Column['type'], value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = type === 'time' ? (instant(value) ?? '') : type === 'json' ? JSON.stringify(value) : String(value)
  // An empty text is not the same as no value.
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
