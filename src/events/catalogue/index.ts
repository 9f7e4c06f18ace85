import { clientEvents } from './client.js'
import { modelEvents } from './model.js'
import { serverEvents } from './server.js'
import { streamEvents } from './stream.js'

export * from './client.js'
export * from './format.js'
export * from './health.js'
export * from './model.js'
export * from './server.js'
export * from './shapes.js'
export * from './stream.js'

/** The kinds of entity whose history is kept; an event stream is named `<category>-<entity>`. */
export type Category = 'server' | 'stream' | 'client' | 'model'

export const categories: ReadonlyArray<Category> = ['server', 'stream', 'client', 'model']

/** Definitions by category. The same type name may stand in two categories with different data (PolicyChanged). */
export const catalogue = {
  server: serverEvents,
  stream: streamEvents,
  client: clientEvents,
  model: modelEvents,
} as const

export const streamIdOf = (category: Category, entity: string): string => `${category}-${entity}`

/** The category that an event stream belongs to; null for streams of other software. */
export function categoryOf(streamId: string): Category | null {
  for (const category of categories) {
    if (streamId.charCodeAt(category.length) === dash && streamId.startsWith(category)) return category
  }
  return null
}

const dash = 45

/** Splits an event stream's id into category and entity; null for streams of other software. */
export function parseStreamId(streamId: string): { readonly category: Category; readonly entity: string } | null {
  const category = categoryOf(streamId)
  return category === null ? null : { category, entity: streamId.slice(category.length + 1) }
}
