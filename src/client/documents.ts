import type {
  EdgeMessage,
  Manifest,
  ManifestSegment,
  Notice,
  Route,
  SessionDocument,
  SignedNotice,
} from '../messaging/codecs.js'

/**
 * Readers of what comes from outside. The io-ts codecs in messaging define these shapes; they are not used here so that
 * the client needs no packages at run time. `test/client/documents.test.ts` holds the two together.
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
const object =
  <T extends object>(shape: { readonly [K in keyof T]: Reader<T[K]> }): Reader<T> =>
  (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(at, 'an object')
    const entries = Object.entries<Reader<unknown>>(shape).map(([name, read]) => [
      name,
      read((value as { readonly [name: string]: unknown })[name], within(at, name)),
    ])
    return Object.fromEntries(entries) as T
  }
const nullable =
  <T>(read: Reader<T>): Reader<T | null> =>
  (value, at) =>
    value === null ? null : read(value, at)
const oneOf = <const V>(...values: ReadonlyArray<V>): Reader<V> =>
  reader(`one of ${values.join(', ')}`, (value): value is V => values.some((each) => each === value))

const text = reader('a string', (value) => typeof value === 'string')
const truth = oneOf(true, false)
const finite = reader('a finite number', (value): value is number => Number.isFinite(value))
const whole = reader(
  'a whole number >= 0',
  (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
)
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
const id = reader(
  'an id (1-64 letters, digits, "-" or "_")',
  (value): value is string => typeof value === 'string' && idPattern.test(value),
)

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

const format = object<SessionDocument['format']>({
  frameRate: object({ num: whole, den: whole }),
  gopFrames: whole,
  segmentTicks: reader(
    'a whole number > 0',
    (value): value is number => Number.isSafeInteger(value) && Number(value) > 0,
  ),
  width: nullable(whole),
  height: whole,
  crf: finite,
  preset: text,
  sampleRate: oneOf(48000),
  channels: oneOf(2),
})

const track = object<ManifestSegment['video']>({ sha256: text, bytes: whole })

const manifestSegment = object<ManifestSegment>({
  number: whole,
  video: track,
  audio: track,
  origin: oneOf('encoded', 'copied'),
  verified: truth,
})

/** More than any server keeps; a longer list is not one of ours. */
const segmentsMax = 4096

const manifest = object<Manifest>({
  stream: id,
  server: id,
  role: oneOf('primary', 'standby', 'retired', 'none'),
  epoch: nullable(whole),
  segmentTicks: whole,
  live: nullable(whole),
  oldest: nullable(whole),
  encoding: truth,
  init: nullable(object({ video: track, audio: track })),
  segments: (value, at) =>
    Array.isArray(value) && value.length <= segmentsMax
      ? value.map((segment, index) => manifestSegment(segment, `${at}[${index}]`))
      : wrong(at, 'a list of segments'),
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

export const readSessionDocument = read(
  object<SessionDocument>({ stream: id, format, route, noticeKey: text, keyId: text }),
)

export const readManifest = read(manifest)

/** The signed payload of a notice. */
export const readNotice = read(object<Notice>({ route, issuedAt: finite, expiresAt: finite }))

const messages: Readonly<Record<EdgeMessage['type'], Reader<EdgeMessage>>> = {
  welcome: object<Extract<EdgeMessage, { type: 'welcome' }>>({ type: oneOf('welcome'), edge: id }),
  refused: object<Extract<EdgeMessage, { type: 'refused' }>>({ type: oneOf('refused'), reason: text }),
  notice: object<Extract<EdgeMessage, { type: 'notice' }>>({
    type: oneOf('notice'),
    notice: object<SignedNotice>({ payload: text, signature: text, keyId: text }),
  }),
}
const edgeMessage = object({ type: oneOf('welcome', 'notice', 'refused') })

export const readEdgeMessage = read((value, at) => messages[edgeMessage(value, at).type](value, at))
