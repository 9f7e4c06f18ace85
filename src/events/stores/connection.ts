import * as E from 'fp-ts/lib/Either.js'

/** Where a log is: what `--eventstore` and SEGUE_EVENTSTORE say. */
export type StoreConnection =
  | { readonly type: 'sqlite'; readonly path: string }
  /** Only for as long as the process lives. */
  | { readonly type: 'memory' }

export const connectionForms = 'sqlite:PATH or memory:'

/** The connection to the log in a file. */
export const sqliteAt = (path: string): StoreConnection => ({ type: 'sqlite', path })

/**
 * Reads a connection string: `sqlite:PATH` or `memory:`. The reason on the left says what to give instead; it never
 * repeats the text, which may hold a password.
 */
export function parseConnection(text: string): E.Either<string, StoreConnection> {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(text.trim()) ?? []
  switch (scheme.toLowerCase()) {
    case 'sqlite': {
      // sqlite:///var/lib/x, as other programs write it, is the same as sqlite:/var/lib/x.
      const path = rest.replace(/^\/\/(?=\/)/, '')
      return path === '' || path.startsWith('//')
        ? E.left('Give the file as well: sqlite:events.sqlite or sqlite:/var/lib/segue/events.sqlite.')
        : E.right(sqliteAt(path))
    }
    case 'memory':
      return rest === '' ? E.right({ type: 'memory' }) : E.left('Nothing follows memory: in its connection.')
    case '':
      return E.left(`Give ${connectionForms}; a file is written sqlite:PATH.`)
    default:
      return E.left(`Give ${connectionForms}.`)
  }
}

/** The connection as people may see it, without credentials. */
export const describeConnection = (connection: StoreConnection): string =>
  connection.type === 'sqlite' ? connection.path : 'memory:'

/** The text that `parseConnection` reads back, credentials included: for a child's environment, never for a log. */
export const connectionText = (connection: StoreConnection): string =>
  connection.type === 'sqlite' ? `sqlite:${connection.path}` : 'memory:'
