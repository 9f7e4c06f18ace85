import * as E from 'fp-ts/lib/Either.js'
import { namespaceDefault, parseAddress, shownAddress, type EventStoreAddress } from './eventstoredb/address.js'

/**
 * Where a log is: what `--eventstore` and SEGUE_EVENTSTORE say. `archive` is the folder with what was archived of it, for
 * those who want to read that as well.
 */
export type StoreConnection =
  | { readonly type: 'sqlite'; readonly path: string; readonly archive?: string }
  /** `text` is what was given, credentials included. */
  | {
      readonly type: 'eventstoredb'
      readonly text: string
      readonly address: EventStoreAddress
      readonly archive?: string
    }
  /** Only for as long as the process lives. */
  | { readonly type: 'memory' }

export const connectionForms =
  'sqlite:PATH, esdb://HOST:2113?tls=false, esdb+discover://USER:PASSWORD@HOST:2113 or memory:'

/** The connection to the log in a file. */
export const sqliteAt = (path: string): StoreConnection => ({ type: 'sqlite', path })

/**
 * Reads a connection string: `sqlite:PATH`, `memory:`, or one of EventStoreDB (see `parseAddress`). The reason on the left says what to give instead; it never
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
    case 'esdb':
    case 'esdb+discover': {
      const address = parseAddress(text)
      return E.isLeft(address) ? address : E.right({ type: 'eventstoredb', text: text.trim(), address: address.right })
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
export function describeConnection(connection: StoreConnection): string {
  const where = describeLog(connection)
  return connection.type === 'memory' || connection.archive === undefined
    ? where
    : `${where} with ${connection.archive}`
}

function describeLog(connection: StoreConnection): string {
  switch (connection.type) {
    case 'sqlite':
      return connection.path
    case 'eventstoredb': {
      const { namespace } = connection.address
      return `${shownAddress(connection.address)}${namespace === namespaceDefault ? '' : ` (${namespace})`}`
    }
    default:
      return 'memory:'
  }
}

/** The text that `parseConnection` reads back, credentials included: for a child's environment, never for a log. */
export function connectionText(connection: StoreConnection): string {
  switch (connection.type) {
    case 'sqlite':
      return `sqlite:${connection.path}`
    case 'eventstoredb':
      return connection.text
    default:
      return 'memory:'
  }
}
