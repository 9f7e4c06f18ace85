import type {
  EdgeMessage,
  Manifest,
  Notice,
  Route,
  SessionDocument,
  SignedNotice,
  Ticket,
  TicketFlaw,
} from '../messaging/codecs.js'

/**
 * Readers of what comes from outside. They look at what the client needs and at nothing else, so that documents may grow.
 * The io-ts codecs in messaging define the shapes; they are not used here, so that the client needs no packages at run
 * time. `test/client/documents.test.ts` holds the two together.
 */
export type Read<T> =
  { readonly _tag: 'valid'; readonly value: T } | { readonly _tag: 'invalid'; readonly reason: string }

class Mismatch extends Error {}

type Reader<T> = (value: unknown, at: string) => T

const wrong = (at: string, wanted: string): never => {
  throw new Mismatch(`${at === '' ? 'the document' : at} must be ${wanted}`)
}

const reader =
  <T>(wanted: string, is: (value: unknown) => value is T): Reader<T> =>
  (value, at) =>
    is(value) ? value : wrong(at, wanted)
const within = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`)

/** What the shape names and nothing else. */
const object = <T extends object>(shape: { readonly [K in keyof T]: Reader<T[K]> }): Reader<T> => {
  const properties = Object.entries<Reader<unknown>>(shape)
  return (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(at, 'an object')
    const given = value as { readonly [name: string]: unknown }
    const found: { [name: string]: unknown } = {}
    for (const [name, read] of properties) found[name] = read(given[name], within(at, name))
    return found as T
  }
}
const nullable =
  <T>(read: Reader<T>): Reader<T | null> =>
  (value, at) =>
    value === null ? null : read(value, at)
const oneOf = <const V>(...values: ReadonlyArray<V>): Reader<V> =>
  reader(`one of ${values.join(', ')}`, (value): value is V => values.some((each) => each === value))

const listOf =
  <T>(reads: Reader<T>, max: number): Reader<ReadonlyArray<T>> =>
  (value, at) =>
    Array.isArray(value) && value.length <= max
      ? value.map((each, index) => reads(each, `${at}[${index}]`))
      : wrong(at, `a list of at most ${max}`)

const text = reader('a string', (value) => typeof value === 'string')
const finite = reader('a finite number', (value): value is number => Number.isFinite(value))
const whole = reader(
  'a whole number >= 0',
  (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
)
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
const id = reader('an id', (value): value is string => typeof value === 'string' && idPattern.test(value))

const server = object<Route['primary']>({ id, url: text })

const route = object<Route>({
  stream: id,
  epoch: whole,
  cutover: whole,
  primary: server,
  standby: nullable(server),
  previous: nullable(server),
  sequence: whole,
})

/** What a client has to know of a stream's format. */
export type Format = Pick<SessionDocument['format'], 'segmentTicks'>
export type KnownSession = Omit<SessionDocument, 'format'> & { readonly format: Format }

const format = object<Format>({
  segmentTicks: reader(
    'a whole number > 0',
    (value): value is number => Number.isSafeInteger(value) && Number(value) > 0,
  ),
})

interface Hashed {
  readonly sha256: string
}
/** What a client has to know of what a server holds. */
export type KnownManifest = Pick<Manifest, 'stream' | 'live' | 'oldest'> & {
  readonly segments: ReadonlyArray<{ readonly number: number; readonly video: Hashed; readonly audio: Hashed }>
}

const hashed = object<Hashed>({ sha256: text })
/** More than any server keeps; a longer list is not one of ours. */
const segmentsMax = 4096
const keysMax = 8

const manifest = object<KnownManifest>({
  stream: id,
  live: nullable(whole),
  oldest: nullable(whole),
  segments: listOf(object({ number: whole, video: hashed, audio: hashed }), segmentsMax),
})

const read =
  <T>(reads: Reader<T>) =>
  (json: string): Read<T> => {
    try {
      return { _tag: 'valid', value: reads(JSON.parse(json), '') }
    } catch (error) {
      return { _tag: 'invalid', reason: error instanceof Error ? error.message : String(error) }
    }
  }

const signed = object<SignedNotice>({ payload: text, signature: text, keyId: text })

export const readSessionDocument = read(
  object<KnownSession>({ stream: id, format, notice: signed, ticket: signed, noticeKey: text }),
)

export const readManifest = read(manifest)

/** The signed payload of a notice. */
export const readNotice = read(object<Notice>({ route, issuedAt: finite, expiresAt: finite }))

/** The signed payload of a ticket. */
export const readTicket = read(
  object<Ticket>({
    stream: id,
    viewer: nullable(id),
    keys: listOf(object({ keyId: text, key: text }), keysMax),
    issuedAt: finite,
    expiresAt: finite,
  }),
)

const ticketFlaw = oneOf<TicketFlaw>(
  ...(['missing', 'malformed', 'unknown-key', 'unsigned', 'expired', 'other-stream', 'other-viewer'] as const),
)

const messages: Readonly<Record<EdgeMessage['type'], Reader<EdgeMessage>>> = {
  welcome: object<Extract<EdgeMessage, { type: 'welcome' }>>({ type: oneOf('welcome'), edge: id }),
  refused: object<Extract<EdgeMessage, { type: 'refused' }>>({
    type: oneOf('refused'),
    reason: text,
    ticket: nullable(ticketFlaw),
  }),
  notice: object<Extract<EdgeMessage, { type: 'notice' }>>({
    type: oneOf('notice'),
    notice: signed,
  }),
}
const edgeMessage = object({ type: oneOf('welcome', 'notice', 'refused') })

export const readEdgeMessage = read((value, at) => messages[edgeMessage(value, at).type](value, at))
