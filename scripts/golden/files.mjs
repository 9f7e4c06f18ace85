import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One folder for each set of rules, e.g. server1-stream2-client1, or model2. */
export const folderOf = (versions) =>
  Object.entries(versions)
    .map(([category, version]) => `${category}${version}`)
    .join('-')

/**
 * Writes a history as lines of JSON: first what it is, then an event each.
 * @param {{ root: string, name: string, what: string, recordedBy: string, versions: object, events: Iterable<object> }} history
 */
export function writeHistory({ root, name, what, recordedBy, versions, events }) {
  const folder = join(root, 'test', 'golden', folderOf(versions))
  mkdirSync(folder, { recursive: true })
  const lines = [{ golden: 1, name, what, recordedBy, versions }, ...events].map((line) => JSON.stringify(line))
  writeFileSync(join(folder, `${name}.ndjson`), `${lines.join('\n')}\n`)
}

/** Forgets what an earlier recording under the same rules has left, but for the names to keep. */
export function clearHistories({ root, versions, keep }) {
  const folder = join(root, 'test', 'golden', folderOf(versions))
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.ndjson') && !keep(file.slice(0, -'.ndjson'.length))) rmSync(join(folder, file))
  }
}
