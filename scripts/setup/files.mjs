import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** The file's text, or undefined when there is none. */
export function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  }
}

/** The file's JSON, or undefined when there is none or it was cut short. */
export function readJson(path) {
  const text = readText(path)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Replaces the file in one step, so that a reader never sees half of it. */
export function writeJson(path, value) {
  const next = `${path}.${process.pid}`
  writeFileSync(next, `${JSON.stringify(value, null, 2)}\n`)
  renameSync(next, path)
}

export const sha256 = (text) => createHash('sha256').update(text).digest('hex')

/** All files below a folder, relative, with forward slashes, in a fixed order. A missing folder is empty. */
export function filesBelow(folder) {
  let entries
  try {
    entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      relative(folder, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )
    .sort()
}

/** Size and time of last change, enough to see that a file was replaced. */
export function fileMark(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? undefined : `${stat.mtimeMs}:${stat.size}`
}
