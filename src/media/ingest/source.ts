import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { ingestError, type IngestError } from './errors.js'

/** Where a stream's pictures and sound come from. */
export type Source =
  | { readonly type: 'testcard' }
  /** A file, looped for ever. */
  | { readonly type: 'file'; readonly path: string }
  | { readonly type: 'http'; readonly url: string }
  /** `listen`: ingest waits for a publisher, instead of calling the address. */
  | { readonly type: 'rtmp' | 'srt'; readonly url: string; readonly listen: boolean }

const localHosts = new Set(['', '0.0.0.0', '127.0.0.1', 'localhost', '::', '[::]', '::1', '[::1]'])

const bad = (message: string): E.Either<IngestError, never> => E.left(ingestError('BadSource', message))

const rtmpSource = (text: string): E.Either<IngestError, Source> => {
  const [, host = ''] = /^rtmps?:\/\/(\[[^\]]*\]|[^:/]*)/.exec(text) ?? []
  // A publisher must come to a local address: there is nothing to fetch from oneself. `?call` asks for the contrary.
  const call = text.endsWith('?call')
  const url = call ? text.slice(0, -'?call'.length) : text
  return E.right({ type: 'rtmp', url, listen: !call && localHosts.has(host) })
}

/**
 * Reads `--source`: `testcard`, a file, `http(s)://...`, `rtmp://...` or `srt://...`.
 * RTMP with a local or unspecified host listens for a publisher (append `?call` to call it instead); SRT listens with `?mode=listener`.
 */
export const parseSource = (text: string): E.Either<IngestError, Source> => {
  if (text === '' || text === 'testcard') return E.right({ type: 'testcard' })
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text) ?? []
  switch (scheme?.toLowerCase()) {
    case undefined:
      return fileSource(text)
    case 'file':
      return fileSource(fileURLToPath(text))
    case 'http':
    case 'https':
      return URL.canParse(text) ? E.right({ type: 'http', url: text }) : bad(`${text} is not a valid address`)
    case 'rtmp':
    case 'rtmps':
      return rtmpSource(text)
    case 'srt':
      return E.right({ type: 'srt', url: text, listen: /[?&]mode=listener\b/.test(text) })
    default:
      return bad(`source ${text} has an unknown scheme: use testcard, a file, http(s)://, rtmp:// or srt://`)
  }
}

const fileSource = (path: string): E.Either<IngestError, Source> => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) {
    return bad(`there is no file ${path}: give testcard, an existing file, or an http(s), rtmp or srt address`)
  }
  return found.isFile() ? E.right({ type: 'file', path }) : bad(`${path} is not a file`)
}

/** How messages name a source; passwords and stream keys in addresses stay out of them. */
export const nameOf = (source: Source): string => {
  if (source.type === 'testcard') return 'testcard'
  if (source.type === 'file') return source.path
  return source.url.replace(/\/\/[^/@]*@/, '//').replace(/\?.*$/, '')
}
