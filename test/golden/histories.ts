import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { shelve } from '../../src/model/index.js'
import type { Category, RecordedEvent } from '../../src/events/index.js'

/** A recorded history, as scripts/golden.mjs writes it. */
export interface History {
  /** The folder of its rules and its own name. */
  readonly path: string
  readonly name: string
  readonly what: string
  readonly versions: Partial<Readonly<Record<Category, number>>>
  readonly events: ReadonlyArray<RecordedEvent>
}

const root = fileURLToPath(new URL('.', import.meta.url))

/** Puts the models that judged in histories of real fleets where the rules find them. */
export function shelveGoldenModels(): void {
  for (const file of readdirSync(`${root}models`)) shelve(readFileSync(`${root}models/${file}`))
}

export function readHistories(): ReadonlyArray<History> {
  shelveGoldenModels()
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: folder }) => readdirSync(`${root}${folder}`).map((file) => `${folder}/${file}`))
    .filter((path) => path.endsWith('.ndjson'))
    .map(readHistory)
}

function readHistory(path: string): History {
  const [first = '{}', ...lines] = readFileSync(`${root}${path}`, 'utf8').trimEnd().split('\n')
  const { name, what, versions } = JSON.parse(first) as Omit<History, 'path' | 'events'>
  return { path, name, what, versions, events: lines.map((line) => JSON.parse(line) as RecordedEvent) }
}

export async function* streamed(events: ReadonlyArray<RecordedEvent>): AsyncGenerator<RecordedEvent> {
  await Promise.resolve()
  yield* events
}

/** Reads one stream of a history, as a store would. */
export const readStreamOf =
  (events: ReadonlyArray<RecordedEvent>) =>
  (streamId: string): AsyncIterable<RecordedEvent> =>
    streamed(events.filter((event) => event.streamId === streamId))
